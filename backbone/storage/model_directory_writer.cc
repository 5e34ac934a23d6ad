#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/kept_files.h"
#include "backbone/storage/model_directory.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/files.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

bool IsModelDirectory(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error) &&
         (fs::exists(path / kManifestFile, error) || fs::is_empty(path, error));
}

// Ids become file names.
bool IsFileName(const std::string& id) {
  if (id.empty() || id[0] == '.') return false;
  for (char c : id) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

// ".NAME.new.": what the hidden directories beside a target are called, before process and count.
std::string StagingPrefix(const fs::path& target) {
  return absl::StrCat(".", target.filename().string(), ".new.");
}

// Whether the staging directory, `rest` of its name behind the prefix, belongs to nobody: its
// process has ended, and nobody holds its lock. A model that was moved aside ends in ".old" and may
// be the only copy.
bool IsLeftover(const fs::path& staging, absl::string_view rest) {
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '.');
  int process = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &process) || process <= 0) return false;
  const bool runs = process == getpid() || kill(process, 0) == 0 || errno != ESRCH;
  return !runs && FolderLock::Take(staging.string()).ok();
}

void RemoveLeftovers(const fs::path& target) {
  const std::string prefix = StagingPrefix(target);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::StartsWith(name, prefix) && IsLeftover(it->path(), name.substr(prefix.size()))) {
      leftovers.push_back(it->path());
    }
  }
  for (const fs::path& leftover : leftovers) fs::remove_all(leftover, error);
}

absl::Status CopyFile(const fs::path& from, const fs::path& to) {
  UNIVAL_RETURN_IF_ERROR(MakeFolders(to.parent_path().string()));
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file,
                          MappedFile::Open(from.string()));
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(to.string(), {file->bytes()}));
  return file->Check();
}

// A file, or the regular files of a folder with their relative names.
absl::Status CopyTree(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::is_directory(from, error)) return CopyFile(from, to);
  UNIVAL_RETURN_IF_ERROR(MakeFolders(to.string()));
  for (fs::recursive_directory_iterator it(from, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    UNIVAL_RETURN_IF_ERROR(CopyFile(it->path(), to / it->path().lexically_relative(from)));
  }
  return error ? SystemError(from.string(), "cannot list this folder", error.value())
               : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelDirectoryWriter>> ModelDirectoryWriter::Create(
    const std::string& path, const ModelWriteOptions& options) {
  // Without the trailing slash of "models/new/", so that the staging directory lies beside it.
  fs::path target = fs::path(path).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error))) {
    if (!options.overwrite) {
      return absl::AlreadyExistsError(
          absl::StrCat(path, ": already there; choose another path or allow overwriting"));
    }
    if (!IsModelDirectory(target)) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, ": is there and is no model directory; it will not be replaced, remove it first"));
    }
  }
  UNIVAL_RETURN_IF_ERROR(MakeFolders(fs::absolute(target).parent_path().string()));
  RemoveLeftovers(target);
  static std::atomic<int> counter{0};
  const fs::path staging =
      target.parent_path() / absl::StrCat(StagingPrefix(target), getpid(), ".", counter++);
  if (!fs::create_directory(staging, error)) {
    return SystemError(staging.string(), "cannot create this folder", error.value());
  }
  UNIVAL_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(staging.string()));
  return std::unique_ptr<ModelDirectoryWriter>(
      new ModelDirectoryWriter(target.string(), staging.string(), std::move(lock)));
}

ModelDirectoryWriter::~ModelDirectoryWriter() {
  std::error_code error;
  if (!committed_) fs::remove_all(staging_, error);
}

// The full path that the component is to be written to.
absl::StatusOr<std::string> ModelDirectoryWriter::Reserve(const std::string& id,
                                                          const std::string& file) {
  if (!IsFileName(id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("component id \"", id,
                     "\": expected letters, digits, \".\", \"_\" and \"-\", as a file name"));
  }
  if (components_.count(id) > 0) {
    return absl::AlreadyExistsError(absl::StrCat("component \"", id, "\" was added before"));
  }
  return absl::StrCat(staging_, "/", file);
}

absl::Status ModelDirectoryWriter::Finish(const std::string& id, const std::string& file,
                                          absl::StatusOr<std::string> sha256) {
  Component component;
  component.set_id(id);
  component.set_file(file);
  UNIVAL_ASSIGN_OR_RETURN(*component.mutable_sha256(), std::move(sha256));
  components_.emplace(id, std::move(component));
  return absl::OkStatus();
}

absl::Status ModelDirectoryWriter::AddTensors(const std::string& id, const TensorMap& tensors,
                                              const std::map<std::string, std::string>& metadata) {
  const std::string file = id + ".safetensors";
  UNIVAL_ASSIGN_OR_RETURN(const std::string target, Reserve(id, file));
  std::string sha256;
  UNIVAL_RETURN_IF_ERROR(WriteSafetensors(target, tensors, metadata, &sha256));
  return Finish(id, file, std::move(sha256));
}

absl::Status ModelDirectoryWriter::AddTensors(const std::string& id, const TensorShapes& shapes,
                                              const std::map<std::string, std::string>& metadata,
                                              const TensorMaker& make) {
  const std::string file = id + ".safetensors";
  UNIVAL_ASSIGN_OR_RETURN(const std::string target, Reserve(id, file));
  std::string sha256;
  UNIVAL_RETURN_IF_ERROR(WriteSafetensorsOneByOne(target, shapes, metadata, make, &sha256));
  return Finish(id, file, std::move(sha256));
}

absl::Status ModelDirectoryWriter::AddFolder(const std::string& id, const std::string& source) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string target, Reserve(id, id));
  std::error_code error;
  if (!fs::is_directory(source, error)) {
    return absl::NotFoundError(absl::StrCat(source, ": not a folder"));
  }
  UNIVAL_RETURN_IF_ERROR(CopyTree(source, target));
  return Finish(id, id, Sha256OfPath(target));
}

absl::Status ModelDirectoryWriter::AddFolder(const std::string& id,
                                             const std::map<std::string, std::string>& files) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string target, Reserve(id, id));
  UNIVAL_RETURN_IF_ERROR(MakeFolders(target));
  for (const auto& [name, bytes] : files) {
    const fs::path file = fs::path(target) / name;
    UNIVAL_RETURN_IF_ERROR(MakeFolders(file.parent_path().string()));
    UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(file.string(), {bytes}));
  }
  return Finish(id, id, Sha256OfPath(target));
}

absl::Status ModelDirectoryWriter::CopyComponent(const ModelDirectory& from,
                                                 const std::string& id) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string source, from.ComponentPath(id));
  const std::string file = fs::path(source).lexically_relative(from.path()).generic_string();
  UNIVAL_ASSIGN_OR_RETURN(const std::string target, Reserve(id, file));
  UNIVAL_RETURN_IF_ERROR(CopyTree(source, target));
  UNIVAL_RETURN_IF_ERROR(TakeNotices(from.path()));
  return Finish(id, file, from.ComponentSha256(id));  // compared when the source was opened
}

absl::Status ModelDirectoryWriter::TakeNotices(const std::string& model) {
  return AddNotices(model, &notices_);
}

// What is in the directory beside the manifest and its components.
absl::Status ModelDirectoryWriter::AddOtherFiles() {
  std::error_code error;
  const bool is_replacement = fs::is_directory(path_, error);
  if (is_replacement) UNIVAL_RETURN_IF_ERROR(TakeNotices(path_));
  UNIVAL_RETURN_IF_ERROR(WriteNotices(notices_, staging_));
  return is_replacement ? KeepOtherFiles(path_, staging_) : absl::OkStatus();
}

absl::StatusOr<std::string> ModelDirectoryWriter::PathOf(const std::string& id) const {
  const auto found = components_.find(id);
  if (found != components_.end()) return absl::StrCat(staging_, "/", found->second.file());
  return absl::NotFoundError(absl::StrCat("component \"", id, "\" was not added"));
}

std::vector<Component> ModelDirectoryWriter::components() const {
  std::vector<Component> added;
  for (const auto& named : components_) added.push_back(named.second);
  return added;
}

absl::Status ModelDirectoryWriter::Commit(Manifest manifest) {
  if (committed_) return absl::FailedPreconditionError(absl::StrCat(path_, ": committed before"));
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(manifest.vocabulary()));
  manifest.set_format_version(kModelFormatVersion);
  manifest.clear_component();
  for (const auto& [id, component] : components_) *manifest.add_component() = component;
  UNIVAL_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(staging_, "/", kManifestFile), {PrintTextProto(manifest)}));
  UNIVAL_RETURN_IF_ERROR(AddOtherFiles());
  UNIVAL_RETURN_IF_ERROR(MoveIntoPlace());
  committed_ = true;
  return SyncDirectory(fs::path(path_).parent_path().string());
}

absl::Status ModelDirectoryWriter::MoveIntoPlace() {
  std::error_code error;
  // Fails if something appeared at the path meanwhile, unless it is an empty directory.
  if (rename(staging_.c_str(), path_.c_str()) == 0) return absl::OkStatus();
  if (errno != EEXIST && errno != ENOTEMPTY) {
    return SystemError(path_, "cannot move the finished model here", errno);
  }
  if (!IsModelDirectory(path_)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": something that is no model directory appeared here"));
  }
  if (renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(staging_, error);  // the old model, now under the hidden name
    return absl::OkStatus();
  }
  // File systems without exchange: for a moment only the hidden old copy is there.
  const std::string old = staging_ + ".old";
  if (rename(path_.c_str(), old.c_str()) != 0) {
    return SystemError(path_, "cannot move the old model aside", errno);
  }
  if (rename(staging_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    rename(old.c_str(), path_.c_str());
    return SystemError(path_, "cannot move the finished model here", reason);
  }
  fs::remove_all(old, error);
  return absl::OkStatus();
}

}  // namespace unival
