#include "training/data/read/media_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/io/formats.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/data_files.h"
#include "training/data/files/system_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// The built-in modalities are called like the kinds of media; what files others take is not known.
bool IsMediaOf(const fs::path& file, const std::string& modality) {
  if (ExtensionsOfKind(modality).empty()) return true;
  const std::string extension = file.extension().string();
  return KindOfExtension(extension.empty() ? "" : extension.substr(1)) == modality;
}

// photos: 2 files left out, without an extension of modality "image": a.doc, b/c.xcf
std::string LeftOutRemark(const std::string& folder, const std::string& modality,
                          const std::vector<std::string>& files) {
  constexpr size_t kNamed = 3;
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(kNamed, files.size()); ++i) {
    names.push_back(fs::path(files[i]).lexically_relative(folder).string());
  }
  return absl::StrCat(folder, ": ", files.size(), files.size() == 1 ? " file" : " files",
                      " left out, without an extension of modality \"", modality,
                      "\": ", absl::StrJoin(names, ", "), files.size() > kNamed ? ", ..." : "");
}

absl::StatusOr<MediaFiles> MediaBelow(const std::string& folder, const std::string& modality) {
  std::error_code error;
  MediaFiles media;
  std::vector<std::string> others;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    const bool is_hidden = IsSystemPath(name);
    if (is_hidden && entry->is_directory(ignored)) entry.disable_recursion_pending();
    if (is_hidden || IsAboutData(name) || !entry->is_regular_file(ignored)) continue;
    (IsMediaOf(entry->path(), modality) ? media.paths : others).push_back(entry->path().string());
  }
  if (error) return SystemError(folder, "cannot be listed", error.value());
  std::sort(media.paths.begin(), media.paths.end());
  std::sort(others.begin(), others.end());
  if (!others.empty()) media.remarks.push_back(LeftOutRemark(folder, modality, others));
  if (!media.paths.empty()) return media;
  return absl::NotFoundError(absl::StrCat(folder, ": a folder without files for modality \"",
                                          modality, "\"; name a file, or another folder",
                                          others.empty() ? "" : "; ",
                                          absl::StrJoin(media.remarks, "")));
}

bool HoldsPattern(const std::string& path) {
  return path.find_first_of("*?[{") != std::string::npos;
}

}  // namespace

absl::StatusOr<MediaFiles> ExpandMediaPath(const std::string& path, const std::string& modality) {
  std::error_code ignored;
  std::vector<std::string> named = {path};
  if (HoldsPattern(path) && !fs::exists(path, ignored)) {
    UNIVAL_ASSIGN_OR_RETURN(named, ExpandDataPath(path));
  }
  MediaFiles media;
  for (const std::string& one : named) {
    if (!fs::is_directory(one, ignored)) {
      media.paths.push_back(one);
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(const MediaFiles below, MediaBelow(one, modality));
    media.paths.insert(media.paths.end(), below.paths.begin(), below.paths.end());
    media.remarks.insert(media.remarks.end(), below.remarks.begin(), below.remarks.end());
  }
  return media;
}

}  // namespace unival
