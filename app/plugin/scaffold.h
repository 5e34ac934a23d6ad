// unival: scaffold.h
//
// Writes the folder of a new plugin, which builds and passes `unival plugin check` as it stands.
//
//   ScaffoldOptions options;
//   options.name = options.folder = "radar";
//   UNIVAL_RETURN_IF_ERROR(WriteScaffold(options));
#ifndef UNIVAL_APP_PLUGIN_SCAFFOLD_H_
#define UNIVAL_APP_PLUGIN_SCAFFOLD_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace unival {

struct ScaffoldOptions {
  std::string name;               // plugin and component id, [a-z][a-z0-9_]{1,47}
  int tier = 2;                   // 1 native, 2 C ABI, 3 data only
  std::string kind = "modality";  // one of ScaffoldKinds(); tier 3 knows modalities only
  std::string folder;             // must not exist
};

// The scaffold's files: relative path -> text, without the program of tier 3. InvalidArgument: a
// bad name, tier or kind, or a kind that the tier does not have.
absl::StatusOr<std::map<std::string, std::string>> ScaffoldFiles(const ScaffoldOptions& options);

std::vector<std::string> ScaffoldKinds();

// Writes the folder, whole or not at all. AlreadyExists when there is one, or when the program has
// a modality of that name of its own.
absl::Status WriteScaffold(const ScaffoldOptions& options);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_SCAFFOLD_H_
