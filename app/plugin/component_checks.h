// unival: component_checks.h
//
// How a component of each kind is made and held against the rules of its kind. A new kind of
// component needs its function and its row in component_checks.cc.
#ifndef UNIVAL_APP_PLUGIN_COMPONENT_CHECKS_H_
#define UNIVAL_APP_PLUGIN_COMPONENT_CHECKS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/plugin/plugin_check.h"
#include "app/plugin/plugin_samples.h"
#include "runtime/runtime.h"
#include "sdk/native/registry.h"

namespace unival {

struct ComponentCheck {
  const Registry::Entry& entry;  // what is checked
  const Runtime& runtime;        // it is registered there
  const PluginCheckOptions& options;
  const PluginSamples& samples;
  CheckObserver& observer;
};

// The kinds that have rules, which are those of Registry::Entry.
std::vector<std::string> CheckedKinds();

// A component that cannot be created gives a report with one row. An error when it cannot be
// checked: there is no sample, or its kind has no rules (Unimplemented).
absl::StatusOr<ConformanceReport> CheckComponent(const ComponentCheck& check);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_COMPONENT_CHECKS_H_
