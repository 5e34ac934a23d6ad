#include "runtime/loader/shipped_files.h"

#include <dlfcn.h>

#include <filesystem>

#include "sdk/base/files.h"
#include "sdk/base/own_object.h"

namespace unival {

namespace fs = std::filesystem;

void ShareOwnSymbols() {
  if (OwnObject().is_program || OwnObject().file.empty()) return;
  dlopen(OwnObject().file.c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

std::vector<std::string> InstallationFolders(const std::string& object) {
  const fs::path folder = fs::path(object).parent_path(), up = folder.parent_path();
  std::vector<std::string> folders = {(fs::path(object + ".runfiles") / "unival").string(),
                                      folder.string()};
  if (up != up.root_path()) folders.push_back(up.string());
  const fs::path prefix = up.parent_path();
  if (up.filename() == "libexec" && folder.filename() == "unival" && prefix != prefix.root_path()) {
    folders.push_back(prefix.string());
  }
  return folders;
}

std::vector<std::string> ShippedFileCandidates(const std::string& path, const std::string& below,
                                               const std::string& object) {
  std::vector<std::string> candidates;
  for (const fs::path folder : InstallationFolders(object)) {
    candidates.push_back((folder / path).string());
    candidates.push_back((folder / below / path).string());
  }
  return candidates;
}

std::string FindShippedFile(const std::string& path, const std::string& below) {
  for (const std::string& candidate : ShippedFileCandidates(path, below, OwnObject().file)) {
    if (IsThere(candidate)) return candidate;
  }
  return "";
}

}  // namespace unival
