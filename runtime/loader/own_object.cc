#include "runtime/loader/own_object.h"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>
#include <system_error>

namespace unival {
namespace {

namespace fs = std::filesystem;

LoadedObject FindOwnObject() {
  std::error_code error;
  Dl_info info;
  link_map* map = nullptr;
  void* const here = reinterpret_cast<void*>(&FindOwnObject);
  const bool known = dladdr1(here, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) != 0;
  // The program itself has no name in the list of loaded objects.
  if (!known || map == nullptr || map->l_name[0] == '\0') {
    return {fs::read_symlink("/proc/self/exe", error).string(), true};
  }
  return {fs::canonical(map->l_name, error).string(), false};
}

// Found while the object is loaded: its name may be relative, and the program may change its folder
// later.
const LoadedObject* const kOwnObject = new LoadedObject(FindOwnObject());

}  // namespace

const LoadedObject& OwnObject() { return *kOwnObject; }

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
  std::error_code error;
  for (const std::string& candidate : ShippedFileCandidates(path, below, OwnObject().file)) {
    if (fs::exists(candidate, error)) return candidate;
  }
  return "";
}

}  // namespace unival
