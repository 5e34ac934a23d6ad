#include "training/data/read/class_record.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "modalities/io/formats.h"
#include "sdk/base/english.h"
#include "sdk/base/files.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/system_files.h"
#include "training/data/read/media_resolver.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// The file as one of a class; without a column for a text about the data.
absl::StatusOr<ClassFile> AsClassFile(const std::string& folder, const fs::path& file) {
  const std::string extension = absl::AsciiStrToLower(file.extension().string());
  const std::string bare = extension.empty() ? "" : extension.substr(1);
  const std::string name = file.filename().string();
  std::string kind = KindOfExtension(bare);
  if (!kind.empty()) return ClassFile{folder, name, bare, std::move(kind)};
  if (IsAboutData(name)) return ClassFile{folder, name, bare, ""};
  return InvalidArgument(file.string(),
                         ": expected a picture, a sound or a video by its extension ",
                         "(docs/formats/media.md lists them), got \"", extension,
                         "\"; convert the file, or take it out of the folder");
}

// Why an entry is neither a file nor a folder; empty for both.
std::string WhyNoData(const fs::directory_entry& entry) {
  std::error_code error;
  const fs::file_status status = entry.status(error);
  if (fs::is_regular_file(status) || fs::is_directory(status)) return "";
  if (fs::is_fifo(status)) return "a named pipe";
  if (fs::is_socket(status)) return "a socket";
  if (fs::is_block_file(status) || fs::is_character_file(status)) return "a device";
  return entry.is_symlink(error) ? "a link to nothing" : "no file that can be examined";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder, Wanted wanted,
                                                    std::vector<std::string>* skipped) {
  std::error_code error;
  std::vector<std::string> found, left;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string(), name = FileName(path);
    if (IsSystemPath(name)) continue;
    std::error_code ignored;
    const bool is_folder = entry->is_directory(ignored);
    std::string why = WhyNoData(*entry);
    if (why.empty() && wanted == Wanted::kFiles && is_folder) why = "a folder where files are read";
    const bool is_wanted = is_folder == (wanted == Wanted::kFolders);
    // What lies elsewhere is never read: a folder of somebody else must not show files of the user.
    const bool is_out = why.empty() && is_wanted && entry->is_symlink(ignored) &&
                        !ResolveBelowFolder(folder, name).ok();
    if (is_out) why = "a link that leads out of its folder; put the file itself there";
    if (is_out && skipped == nullptr) return InvalidArgument(path, ": ", why);
    if (!why.empty()) left.push_back(absl::StrCat(path, ": ", why));
    if (why.empty() && is_wanted) found.push_back(path);
  }
  if (error) return SystemError(folder, "cannot be listed", error.value());
  std::sort(found.begin(), found.end());
  if (skipped != nullptr) {
    skipped->insert(skipped->end(), left.begin(), left.end());
    std::sort(skipped->begin(), skipped->end());
  }
  return found;
}

absl::StatusOr<std::vector<ClassFile>> ListClasses(const std::string& folder,
                                                   std::vector<std::string>* skipped) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> classes,
                          ListFolder(folder, Wanted::kFolders, skipped));
  std::vector<ClassFile> all;
  for (const std::string& one : classes) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                            ListFolder(one, Wanted::kFiles, skipped));
    for (const std::string& file : files) {
      UNIVAL_ASSIGN_OR_RETURN(ClassFile entry, AsClassFile(FileName(one), file));
      if (!entry.column.empty()) all.push_back(std::move(entry));
    }
  }
  return all;
}

std::string ClassName(absl::string_view folder) {
  return absl::StrReplaceAll(folder, {{"_", " "}});
}

std::string ClassCaption(absl::string_view name) {
  return absl::StrCat("a photo of ", WithArticle(name));
}

}  // namespace unival
