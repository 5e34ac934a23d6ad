#include "runtime/plugin_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kPin[] = "#sha256=";
constexpr char kManifestEnding[] = ".plugin.textproto";

bool LooksLikePlugin(const fs::path& path) {
  return path.extension() == ".so" || absl::EndsWith(path.string(), kManifestEnding);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> PluginFilesOf(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (LooksLikePlugin(entry->path())) files.push_back(entry->path().string());
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat("plugin path ", folder, ": ", error.message(),
                                            "; expected a folder of plugins"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

NamedPlugin ParseNamedPlugin(const std::string& name) {
  const size_t pin = name.find(kPin);
  if (pin == std::string::npos) return {name, absl::nullopt};
  return {name.substr(0, pin), name.substr(pin + sizeof(kPin) - 1)};
}

}  // namespace unival
