#include "backbone/storage/kept_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/files.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// The manifest of a model directory, and what it lists. One that cannot be read lists nothing: then
// all of its folder counts as somebody's own, and is kept.
std::set<fs::path> OwnFiles(const std::string& model) {
  std::set<fs::path> own = {kManifestFile};
  const auto opened = ModelDirectory::Open(model);
  if (!opened.ok()) return own;
  for (const Component& component : (*opened)->manifest().component()) own.insert(component.file());
  return own;
}

// A second name for the file, which costs no room; a copy where the file system has no such names.
absl::Status LinkOrCopy(const fs::path& from, const fs::path& to) {
  UNIVAL_RETURN_IF_ERROR(MakeFolders(to.parent_path().string()));
  std::error_code error;
  fs::create_hard_link(from, to, error);
  const bool is_linked = !error;
  if (!is_linked) fs::copy(from, to, fs::copy_options::copy_symlinks, error);
  if (error)
    return SystemError(from.string(), "cannot be kept beside the new model", error.value());
  // The bytes of a copy must be on the disk before the old model goes; a link needs its name alone.
  if (is_linked || fs::is_symlink(from, error)) return SyncDirectory(to.parent_path().string());
  return PublishFile(to.string(), to.string());
}

// Pipes and sockets are not kept: they belong to a program that runs.
bool IsKeptKind(const fs::file_status& status) {
  return fs::is_regular_file(status) || fs::is_symlink(status);
}

}  // namespace

absl::Status AddNotices(const std::string& folder, std::vector<std::string>* notices) {
  std::error_code error;
  if (!fs::is_regular_file(fs::path(folder) / kNoticeFile, error)) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const std::string file,
                          ResolveBelow(absl::StrCat(folder, "/", kManifestFile), kNoticeFile));
  UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(file));
  text = std::string(absl::StripTrailingAsciiWhitespace(text));
  const auto has = [&](const std::string& there) { return absl::StrContains(there, text); };
  if (std::any_of(notices->begin(), notices->end(), has) || text.empty()) return absl::OkStatus();
  notices->erase(std::remove_if(notices->begin(), notices->end(),
                                [&](const auto& there) { return absl::StrContains(text, there); }),
                 notices->end());
  notices->push_back(std::move(text));
  return absl::OkStatus();
}

absl::Status WriteNotices(const std::vector<std::string>& notices, const std::string& folder) {
  if (notices.empty()) return absl::OkStatus();
  return WriteFileAtomically(absl::StrCat(folder, "/", kNoticeFile),
                             {absl::StrCat(absl::StrJoin(notices, "\n\n"), "\n")});
}

absl::Status KeepOtherFiles(const std::string& old, const std::string& staging) {
  std::set<fs::path> own = OwnFiles(old);
  own.merge(OwnFiles(staging));  // a folder of tasks is hashed with everything in it
  std::error_code error, ignored;
  for (fs::recursive_directory_iterator it(old, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path name = it->path().lexically_relative(old);
    const fs::path kept = fs::path(staging) / name;
    const fs::file_status status = it->symlink_status(ignored);
    if (own.count(name) > 0) {
      it.disable_recursion_pending();
    } else if (fs::is_directory(status)) {
      if (fs::is_empty(it->path(), ignored)) UNIVAL_RETURN_IF_ERROR(MakeFolders(kept.string()));
    } else if (IsKeptKind(status) && !fs::exists(fs::symlink_status(kept, ignored))) {
      UNIVAL_RETURN_IF_ERROR(LinkOrCopy(it->path(), kept));
    }
  }
  return error ? SystemError(old, "cannot list this folder", error.value()) : absl::OkStatus();
}

}  // namespace unival
