// unival: scaffold.h
//
// Writes the folder of a new plugin, which builds and passes `unival plugin check` as it stands.
//
//   ScaffoldOptions options;
//   options.name = options.folder = "radar";
//   UNIVAL_RETURN_IF_ERROR(WriteScaffold(options));
#ifndef UNIVAL_APP_PLUGIN_SCAFFOLD_H_
#define UNIVAL_APP_PLUGIN_SCAFFOLD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

struct ScaffoldOptions {
  std::string name;  // plugin and component id, [a-z][a-z0-9_]{1,47}
  // 1 native, 2 C ABI, 3 data only; 0: the first tier of its kind in scaffold_kinds.cc
  int tier = 0;
  std::string kind = "modality";  // one of ScaffoldKinds(); scaffold_kinds.cc says in which tiers
  std::string folder;             // must not exist
};

std::vector<std::string> ScaffoldKinds();

// Writes the folder, whole or not at all. InvalidArgument: a bad name, tier or kind, or a kind that
// the tier does not have. AlreadyExists when there is one, or when the program has
// a part of that kind and name of its own, or a score of the name that a metric would give.
absl::Status WriteScaffold(const ScaffoldOptions& options);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_SCAFFOLD_H_
