// unival: runtime.h
//
// What a process knows before it loads a model: the registry with built-ins and plugins, and the
// services that components use. One per process is usual; nothing here is global.
//
//   RuntimeOptions options;
//   options.plugins = {"libdepth.so"};
//   UNIVAL_ASSIGN_OR_RETURN(auto runtime, Runtime::Create(options));
#ifndef UNIVAL_RUNTIME_RUNTIME_H_
#define UNIVAL_RUNTIME_RUNTIME_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/registry.h"
#include "tasks/templates/template_types.h"

namespace unival {

// More threads than processors only wait for each other, and starting far more takes minutes.
constexpr int kMaxThreads = 1024;

struct RuntimeOptions {
  std::vector<std::string> plugins;  // files, loaded in the order of their ids
  // Folders searched for *.so and *.plugin.textproto, non-recursive.
  std::vector<std::string> plugin_paths;
  // Folder of the plugins that come with the library, such as lib/unival/plugins of an
  // installation. Empty: it is sought beside the program or libunival.so.
  std::string shipped_plugins;
  // Whether a plugin that is named explicitly and refused is only reported and left out, as those
  // found in folders are, instead of being an error.
  bool tolerate_refusals = false;
  // Compute threads; 0: as many as OpenMP gave this process at its start, which is OMP_NUM_THREADS
  // if that was set, else all hardware threads that the process may use. At most kMaxThreads.
  int threads = 0;
  // What "{column:type}" may say in templates: the types that ship, and those that a program adds.
  SlotTypes slot_types = BuiltinSlotTypes();
};

// What became of one plugin file.
struct PluginReport {
  std::string file;
  std::string id;       // empty when the file is not a plugin
  std::string version;  // the plugin's own
  int tier = 0;         // 1 native, 2 C ABI, 3 data only; 0: not a plugin
  // "0.2" for tiers 1 and 2: what it was built with; tier 3: the program's producer.
  std::string abi;
  absl::Status status;  // OK: loaded; AlreadyExists "same as FILE": reached before, left out
};

class Runtime {
 public:
  // Loads the plugins. A plugin that is named explicitly and cannot be loaded is an error; one
  // found in a folder is reported and left out. A second file of the same id and version is left
  // out, too; files named explicitly come first.
  static absl::StatusOr<std::unique_ptr<Runtime>> Create(const RuntimeOptions& options);

  const Registry& registry() const { return registry_; }
  const HostServices& services() const { return services_; }
  // What templates may name: the slot types of the options, the metrics that ship and those of
  // plugins. Valid as long as the runtime.
  TemplateTypes template_types() const { return {slot_types_, &registry_}; }
  const std::vector<PluginReport>& plugins() const { return plugins_; }
  int threads() const { return threads_; }

 private:
  Runtime() = default;
  Registry registry_;
  SlotTypes slot_types_;
  HostServices services_;
  std::unique_ptr<MediaDecoder> decoder_;
  std::vector<PluginReport> plugins_;
  int threads_ = 1;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_RUNTIME_H_
