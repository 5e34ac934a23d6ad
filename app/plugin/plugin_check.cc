#include "app/plugin/plugin_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/plugin/component_checks.h"
#include "app/plugin/plugin_samples.h"
#include "runtime/loader/plugin_loader.h"
#include "runtime/plugin_files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Ignores everything; used when the caller gave no observer.
class Nobody : public CheckObserver {
 public:
  void Component(const std::string&) override {}
  void Calls(const std::string&) override {}
  void Begins(const std::string&) override {}
  void Ends(const ConformanceRow&) override {}
};

}  // namespace

bool PluginCheck::ok() const {
  return std::all_of(reports.begin(), reports.end(),
                     [](const ConformanceReport& report) { return report.ok(); });
}

absl::StatusOr<PluginCheck> CheckPlugin(const PluginCheckOptions& options,
                                        CheckObserver* observer) {
  Nobody nobody;
  if (observer == nullptr) observer = &nobody;
  const NamedPlugin named = ParseNamedPlugin(options.file);
  UNIVAL_RETURN_IF_ERROR(CheckPin(named.file, named.sha256));
  // Opened by itself first, so that its constructors are known apart from its entry function.
  observer->Calls("its constructors, while it was opened");
  UNIVAL_RETURN_IF_ERROR(OpenPlugin(named.file, named.sha256));
  observer->Calls("its entry function");
  RuntimeOptions runtime_options;
  runtime_options.plugins = {options.file};
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(runtime_options));
  UNIVAL_ASSIGN_OR_RETURN(const PluginSamples samples, FindSamples(options));
  PluginCheck check;
  check.plugin = runtime->plugins().front();
  for (const Registry::Entry& entry : runtime->registry().List()) {
    if (entry.origin == "built-in") continue;
    UNIVAL_ASSIGN_OR_RETURN(ConformanceReport report,
                            CheckComponent({entry, *runtime, options, samples, *observer}));
    check.reports.push_back(std::move(report));
  }
  if (check.reports.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("plugin ", options.file, ": registers no component"));
  }
  return check;
}

}  // namespace unival
