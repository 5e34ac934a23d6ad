#include "sdk/base/path_below.h"

#include <stdlib.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// `path` without links, ".." and "."; empty, with errno set, when nothing is there.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), &free);
  return real == nullptr ? "" : real.get();
}

std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool LiesBelow(const std::string& path, const std::string& folder) {
  return !folder.empty() && (folder == "/" || absl::StartsWith(path, folder + "/"));
}

struct Found {
  std::string path;  // as it is written
  std::string real;  // without links
};

absl::StatusOr<Found> Find(const std::string& folder, absl::string_view path) {
  UNIVAL_RETURN_IF_ERROR(CheckRelativePath(path));
  const std::string full = folder == "." ? std::string(path) : absl::StrCat(folder, "/", path);
  std::string real = RealPath(full);
  if (!real.empty() && real == RealPath(folder)) {
    return absl::InvalidArgumentError(absl::StrCat("path \"", path, "\" is the folder ", folder,
                                                   " itself; expected something in it"));
  }
  if (!real.empty()) return Found{full, std::move(real)};
  if (errno == EACCES) return SystemError(full, "cannot be found", errno);
  return absl::NotFoundError(SystemError(full, "cannot be found", errno).message());
}

absl::Status LeadsOut(absl::string_view path, const std::string& place, const Found& found) {
  return absl::InvalidArgumentError(
      absl::StrCat("path \"", path, "\" is a link that leads out of the folder of ", place, ", to ",
                   found.real, "; put the file itself there"));
}

}  // namespace

absl::Status CheckRelativePath(absl::string_view path) {
  const auto error = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("path \"", path, "\" ", what));
  };
  if (path.empty()) return error("is empty");
  if (path.find('\0') != absl::string_view::npos) return error("has a NUL byte");
  if (path[0] == '/') return error("is absolute; expected one relative to the file's folder");
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == "..") return error("leaves its folder (\"..\")");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ResolveBelow(const std::string& file, absl::string_view path) {
  UNIVAL_ASSIGN_OR_RETURN(const Found found, Find(Folder(file), path));
  const std::string folder = RealPath(Folder(file)), linked = Folder(RealPath(file));
  if (LiesBelow(found.real, folder) || LiesBelow(found.real, linked)) return found.path;
  return LeadsOut(path, file, found);
}

absl::StatusOr<std::string> ResolveBelowFolder(const std::string& folder, absl::string_view path) {
  UNIVAL_ASSIGN_OR_RETURN(const Found found, Find(folder, path));
  if (LiesBelow(found.real, RealPath(folder))) return found.path;
  return LeadsOut(path, folder, found);
}

}  // namespace unival
