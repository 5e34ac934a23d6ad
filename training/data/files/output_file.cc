#include "training/data/files/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/data_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// Whether `file` can be replaced by renaming another file to it. Pipes and devices cannot.
bool IsReplaceable(const std::string& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  return !absl::StartsWith(file, "/dev/") && (!fs::exists(status) || fs::is_regular_file(status));
}

// The path of the file itself where `file` is a link.
std::string RealFile(const std::string& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  return error ? file : real.string();
}

// Writes to a pipe or a device. Opens it without waiting, because a pipe may never get a reader.
absl::Status WriteInPlace(const std::string& file, const std::string& text) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const Descriptor output(open(file.c_str(), kFlags, 0644));
  if (!output.is_open() && errno == ENXIO) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, ": a pipe or a socket that nobody reads; start its reader first, or name a file"));
  }
  if (!output.is_open()) return SystemError(file, "cannot be opened", errno);
  fcntl(output.get(), F_SETFL, 0);  // writes may wait
  for (size_t begin = 0; begin < text.size();) {
    const ssize_t count = write(output.get(), text.data() + begin, text.size() - begin);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return SystemError(file, "cannot be written", count == 0 ? EIO : errno);
    begin += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status CheckFolderOf(const std::string& file) {
  if (file.empty() || !IsReplaceable(file)) return absl::OkStatus();
  const fs::path parent = fs::path(RealFile(file)).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return SystemError(file, "cannot be written to its folder", errno);
}

// Links to files below the folder count; links to folders are not followed, as they may go round.
absl::Status CheckFolder(const ExistingFiles& existing, const std::string& folder) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    UNIVAL_RETURN_IF_ERROR(existing.CheckApart(entry->path().string()));
  }
  return absl::OkStatus();  // a folder that cannot be listed is for its reader to complain about
}

absl::Status CheckRead(const ExistingFiles& existing, const std::string& path) {
  const auto expanded = ExpandDataPath(path);
  if (!expanded.ok()) return absl::OkStatus();  // its reader says it better
  for (const std::string& file : *expanded) {
    std::error_code error;
    if (fs::is_directory(file, error)) {
      UNIVAL_RETURN_IF_ERROR(CheckFolder(existing, file));
    } else {
      UNIVAL_RETURN_IF_ERROR(existing.CheckApart(file));
    }
  }
  return absl::OkStatus();
}

}  // namespace

ExistingFiles::ExistingFiles(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    struct stat about = {};
    if (file.empty() || stat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    files_.push_back({file, about.st_dev, about.st_ino});
  }
}

absl::Status ExistingFiles::CheckApart(const std::string& path) const {
  struct stat about = {};
  const char* name = path == "-" ? "/dev/stdin" : path.c_str();
  if (files_.empty() || stat(name, &about) != 0) return absl::OkStatus();
  for (const File& file : files_) {
    if (file.device != about.st_dev || file.number != about.st_ino) continue;
    return InvalidArgument(file.name, ": expected a file other than those that are read, got ",
                           path, ", which would be lost; choose another name for the results");
  }
  return absl::OkStatus();
}

absl::Status CheckOutputFiles(const std::vector<std::string>& files,
                              const std::vector<std::string>& read) {
  for (const std::string& file : files) UNIVAL_RETURN_IF_ERROR(CheckFolderOf(file));
  const ExistingFiles existing(files);
  if (existing.empty()) return absl::OkStatus();
  for (const std::string& path : read) UNIVAL_RETURN_IF_ERROR(CheckRead(existing, path));
  return absl::OkStatus();
}

absl::Status WriteOutputFile(const std::string& file, const std::string& text) {
  if (IsReplaceable(file)) return WriteFileAtomically(RealFile(file), {text});
  return WriteInPlace(file, text);
}

}  // namespace unival
