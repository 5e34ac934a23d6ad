#include "sdk/base/own_object.h"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>
#include <system_error>

namespace unival {
namespace {

LoadedObject FindOwnObject() {
  Dl_info info;
  link_map* map = nullptr;
  void* const here = reinterpret_cast<void*>(&FindOwnObject);
  const bool known = dladdr1(here, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) != 0;
  // In the list of loaded objects the program itself has an empty name.
  if (!known || map == nullptr || map->l_name[0] == '\0') return {ThisProgram(), true};
  std::error_code error;
  return {std::filesystem::canonical(map->l_name, error).string(), false};
}

// Computed while the object is loaded: its name may be relative, and the program may change its
// working directory later.
const LoadedObject* const kOwnObject = new LoadedObject(FindOwnObject());

}  // namespace

const LoadedObject& OwnObject() { return *kOwnObject; }

std::string ThisProgram() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

}  // namespace unival
