// unival: plugin_check.h
//
// Conformance of a plugin file: every component that it registers is created and held against the
// rules of sdk/testing/conformance.h.
//
//   PluginCheckOptions options;
//   options.file = "libimu.so";
//   UNIVAL_ASSIGN_OR_RETURN(PluginCheck check, CheckPlugin(options));
//   for (const ConformanceReport& report : check.reports) std::cout << report.Table();
#ifndef UNIVAL_APP_PLUGIN_PLUGIN_CHECK_H_
#define UNIVAL_APP_PLUGIN_PLUGIN_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/plugin/plugin_child.h"
#include "runtime/runtime.h"
#include "sdk/testing/conformance.h"

namespace unival {

struct PluginCheckOptions {
  std::string file;
  // Media files for modalities, ".jsonl" records for tasks, ".txt" lines for tokenizers; folders
  // stand for their files. Empty: the folder "samples" beside the plugin where there is one, else
  // generated media.
  std::vector<std::string> samples;
  std::string config;                // text file with a ModalityConfig; empty: the type alone
  std::vector<std::string> options;  // "name=value" for modalities
  std::string tokenizer;             // folder with a tokenizer's files; empty: that of the samples
  double max_seconds_per_sample = 10;
  double max_mib_per_sample = 1024;
  ChildLimits limits;  // of CheckPluginInChild
};

struct PluginCheck {
  PluginReport plugin;
  std::vector<ConformanceReport> reports;  // one per component
  bool ok() const;
};

// Receives how far a check has come, so that the caller knows it when the plugin ends the process.
class CheckObserver : public RuleObserver {
 public:
  virtual void Component(const std::string& name) = 0;  // "modality imu"
  virtual void Calls(const std::string& call) = 0;      // from any thread
};

// Checks every component of a plugin that is loaded into this process, to which it may do anything.
// An error when the plugin cannot be loaded, or when there is no sample to check a component with;
// the message then says what to give. A component that cannot be created gives a report with one
// row, "create". `observer` may be null.
absl::StatusOr<PluginCheck> CheckPlugin(const PluginCheckOptions& options,
                                        CheckObserver* observer = nullptr);

// Does the same in a child process, which protects this one. When the child ends too early, the
// report gets a failed row that says how, "was ended by signal 11 (SIGSEGV, Segmentation fault) in
// encode of 2 samples". The row is named after the rule in progress; "load" stands for all before
// the first rule, "destroy" for what happens between rules, "exit" for all after the last one.
absl::StatusOr<PluginCheck> CheckPluginInChild(const PluginCheckOptions& options);

// Runs in the child: what a command line with kPluginChild "check" asks for.
void RunCheckAsChild(const PluginCheckOptions& options);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_PLUGIN_CHECK_H_
