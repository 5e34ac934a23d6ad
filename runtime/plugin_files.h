// unival: plugin_files.h - which files a runtime looks at, without reading any.
#ifndef UNIVAL_RUNTIME_PLUGIN_FILES_H_
#define UNIVAL_RUNTIME_PLUGIN_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

// The files *.so and *.plugin.textproto of a folder, non-recursive, in the order of their names.
// NotFound: no such folder.
absl::StatusOr<std::vector<std::string>> PluginFilesOf(const std::string& folder);

// "FILE#sha256=HEX" in two parts. An empty pin ("FILE#sha256=") is kept as such, and no file has
// it.
struct NamedPlugin {
  std::string file;
  absl::optional<std::string> sha256;  // the pin
};
NamedPlugin ParseNamedPlugin(const std::string& name);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_PLUGIN_FILES_H_
