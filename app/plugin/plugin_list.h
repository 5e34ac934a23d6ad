// unival: plugin_list.h
//
// Every plugin file that a runtime would look at, tried in a child process: one that ends or hangs
// its process is a row like others.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::vector<PluginRow> list, ListPlugins(options, limits));
//   for (const PluginRow& row : list) std::cout << row.file << " " << row.verdict << "\n";
#ifndef UNIVAL_APP_PLUGIN_PLUGIN_LIST_H_
#define UNIVAL_APP_PLUGIN_PLUGIN_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/plugin/plugin_child.h"
#include "runtime/runtime.h"

namespace unival {

struct ListedComponent {
  std::string kind, type, summary;
};

struct PluginRow {
  std::string file, id, version;
  int tier = 0;  // 0: not a plugin
  std::string abi;
  std::string verdict;  // "loaded", "left out" (the same plugin came before), "refused"
  std::string reason;   // empty when loaded
  std::vector<ListedComponent> components;
};

// Tries the plugins, and lists them in the order in which the runtime would load them. First all
// are loaded together in one child. If that child ends too early, each is tried alone, and those
// that do no harm are loaded together once more. Errors: a folder that does not exist; a child that
// cannot be started.
absl::StatusOr<std::vector<PluginRow>> ListPlugins(const RuntimeOptions& options,
                                                   const ChildLimits& limits);

// Runs in the child: what a command line with kPluginChild "list" asks for.
void RunListAsChild(const RuntimeOptions& options);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_PLUGIN_LIST_H_
