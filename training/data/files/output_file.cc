#include "training/data/files/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
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

// Device and number there of a regular file.
absl::optional<std::pair<uint64_t, uint64_t>> PlaceOf(const std::string& file) {
  struct stat about = {};
  const char* name = file == "-" ? "/dev/stdin" : file.c_str();
  if (stat(name, &about) != 0 || !S_ISREG(about.st_mode)) return absl::nullopt;
  return std::make_pair(uint64_t{about.st_dev}, uint64_t{about.st_ino});
}

// Links to files below the folder count; links to folders are not followed, as they may go round.
absl::Status CheckFolder(const ExistingFiles& existing, const std::string& folder) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    UNIVAL_RETURN_IF_ERROR(CheckNotRead(existing, entry->path().string()));
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
      UNIVAL_RETURN_IF_ERROR(CheckNotRead(existing, file));
    }
  }
  return absl::OkStatus();
}

}  // namespace

ExistingFiles::ExistingFiles(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const auto place = PlaceOf(file);
    if (place) names_.emplace(*place, file);
  }
}

const std::string* ExistingFiles::Find(const std::string& path) const {
  if (names_.empty()) return nullptr;
  const auto place = PlaceOf(path);
  const auto found = place ? names_.find(*place) : names_.end();
  return found == names_.end() ? nullptr : &found->second;
}

absl::Status WouldBeLost(const std::string& file, const std::string& read) {
  return InvalidArgument(file, ": expected a file other than those that are read, got ", read,
                         ", which would be lost; choose another name for the results");
}

absl::Status CheckNotRead(const ExistingFiles& outputs, const std::string& read) {
  const std::string* file = outputs.Find(read);
  return file == nullptr ? absl::OkStatus() : WouldBeLost(*file, read);
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
