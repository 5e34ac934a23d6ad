#include "training/data/media_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "training/data/data_files.h"
#include "training/data/system_files.h"
#include "training/data/tar_source.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

bool IsMediaOf(const fs::path& file, const std::string& modality) {
  if (IsSystemPath(file.filename().string()) || IsAboutData(file.filename().string())) return false;
  if (modality != "image" && modality != "audio" && modality != "video") return true;
  const std::string extension = absl::AsciiStrToLower(file.extension().string());
  const MemberRole role = RoleOfExtension(extension.empty() ? "" : extension.substr(1), {});
  return role.kind == MemberRole::Kind::kMedia && role.column == modality;
}

absl::StatusOr<std::vector<std::string>> MediaBelow(const std::string& folder,
                                                    const std::string& modality) {
  std::error_code error;
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const bool is_hidden = IsSystemPath(entry->path().filename().string());
    if (is_hidden && entry->is_directory(ignored)) entry.disable_recursion_pending();
    if (!entry->is_regular_file(ignored) || !IsMediaOf(entry->path(), modality)) continue;
    files.push_back(entry->path().string());
  }
  if (error) return SystemError(folder, "cannot be listed", error.value());
  std::sort(files.begin(), files.end());
  if (!files.empty()) return files;
  return absl::NotFoundError(absl::StrCat(folder, ": a folder without files for modality \"",
                                          modality, "\"; name a file, or another folder"));
}

bool HoldsPattern(const std::string& path) {
  return path.find_first_of("*?[{") != std::string::npos;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandMediaPath(const std::string& path,
                                                         const std::string& modality) {
  std::error_code ignored;
  std::vector<std::string> named = {path};
  if (HoldsPattern(path) && !fs::exists(path, ignored)) {
    UNIVAL_ASSIGN_OR_RETURN(named, ExpandDataPath(path));
  }
  std::vector<std::string> files;
  for (const std::string& one : named) {
    if (!fs::is_directory(one, ignored)) {
      files.push_back(one);
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> below, MediaBelow(one, modality));
    files.insert(files.end(), below.begin(), below.end());
  }
  return files;
}

}  // namespace unival
