#include "sdk/base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Longer file names are shortened to this many bytes: most systems allow 255 bytes.
constexpr size_t kMaxStagedName = 200;

// The temporary name for writing `path`, in the same folder. It is always the same, so a file that
// a killed process left is replaced by the next write.
std::string StagedName(const std::string& path) {
  const std::filesystem::path whole(path);
  const std::string name = whole.filename().string().substr(0, kMaxStagedName);
  return (whole.parent_path() / absl::StrCat(".", name, ".unival-new")).string();
}

// A temporary name that no other writer uses, for file systems without locks.
std::string UniqueName(const std::string& path) {
  static std::atomic<int> counter{0};
  return absl::StrCat(path, ".tmp.", getpid(), ".", counter++);
}

bool NamesThisFile(const std::string& path, int descriptor) {
  struct stat opened = {}, named = {};
  return fstat(descriptor, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

struct Staged {
  std::string path;
  Descriptor file;
};

constexpr mode_t kMode = 0644;

absl::StatusOr<Staged> OpenUnique(const std::string& path) {
  Staged staged{UniqueName(path), Descriptor()};
  staged.file =
      Descriptor(open(staged.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!staged.file.is_open()) return SystemError(path, "cannot create", errno);
  return staged;
}

// Opens an empty file that only this writer uses until it is closed.
absl::StatusOr<Staged> OpenStaged(const std::string& path) {
  const std::string name = StagedName(path);
  while (true) {
    Staged staged{
        name, Descriptor(open(name.c_str(),
                              O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kMode))};
    if (!staged.file.is_open()) return SystemError(path, "cannot create", errno);
    int locked = 0;
    do {
      locked = flock(staged.file.get(), LOCK_EX);
    } while (locked != 0 && errno == EINTR);
    if (locked != 0) return OpenUnique(path);
    // The previous writer may have renamed this file in the meantime; then it is the finished file.
    if (!NamesThisFile(name, staged.file.get())) continue;
    if (ftruncate(staged.file.get(), 0) == 0) return staged;
    return SystemError(path, "cannot create", errno);
  }
}

absl::Status WriteAll(int descriptor, absl::string_view bytes, const std::string& path) {
  constexpr size_t kMaxChunk = size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), std::min(bytes.size(), kMaxChunk));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path, "cannot write", errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status WriteAndSync(const Staged& staged, const std::string& path,
                          const std::vector<absl::string_view>& pieces) {
  for (absl::string_view piece : pieces) {
    UNIVAL_RETURN_IF_ERROR(WriteAll(staged.file.get(), piece, path));
  }
  if (fsync(staged.file.get()) != 0) return SystemError(path, "cannot sync", errno);
  if (rename(staged.path.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return SystemError(path, "cannot rename the finished file to this", errno);
}

absl::Status SyncFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return SystemError(path, "cannot be opened", errno);
  return fsync(file.get()) == 0 ? absl::OkStatus() : SystemError(path, "cannot sync", errno);
}

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kInternal;
  }
}

const char* KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "";  // empty, so that the message stays that of earlier versions
  if (S_ISFIFO(mode)) return " but a named pipe";
  if (S_ISSOCK(mode)) return " but a socket";
  return " but a device";
}

absl::Status NotRegular(const std::string& path, mode_t mode) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": not a regular file", KindOf(mode)));
}

// Refuses to replace a device such as /dev/null by a file, because other programs need the device.
// For a folder, the system gives the error itself.
absl::Status CheckReplaceable(const std::string& path) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) return absl::OkStatus();
  if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)) return absl::OkStatus();
  return NotRegular(path, about.st_mode);
}

absl::Status TooLarge(const std::string& path, int64_t size, int64_t max_bytes) {
  return absl::ResourceExhaustedError(absl::StrCat(
      path, ": has ", size, " bytes; a file of this kind may have ", max_bytes, " at most"));
}

struct Opened {
  Descriptor file;
  struct stat about = {};
};

// Opens without waiting for a writer or a device. Anything that is neither file nor folder is found
// with stat before it is opened, because opening a device can already have an effect.
absl::StatusOr<Opened> OpenWithoutWaiting(const std::string& path) {
  Opened opened;
  if (path.find('\0') != std::string::npos) return SystemError(path, "cannot be opened", ENOENT);
  if (stat(path.c_str(), &opened.about) != 0) return SystemError(path, "cannot be opened", errno);
  const auto refused = [&] {
    return !S_ISREG(opened.about.st_mode) && !S_ISDIR(opened.about.st_mode);
  };
  if (refused()) return NotRegular(path, opened.about.st_mode);
  opened.file = Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!opened.file.is_open()) return SystemError(path, "cannot be opened", errno);
  if (fstat(opened.file.get(), &opened.about) != 0) {
    return SystemError(path, "cannot be examined", errno);
  }
  if (refused()) return NotRegular(path, opened.about.st_mode);
  return opened;
}

}  // namespace

absl::Status SystemError(const std::string& path, absl::string_view what, int error) {
  std::string reason = std::strerror(error);
  if (!reason.empty()) reason[0] = absl::ascii_tolower(reason[0]);  // it follows a colon
  if (error == EFBIG) absl::StrAppend(&reason, "; a limit of file size (`ulimit -f`) is reached");
  return absl::Status(CodeOf(error), absl::StrCat(path, ": ", what, ": ", reason));
}

absl::StatusOr<Descriptor> OpenRegularFile(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(Opened opened, OpenWithoutWaiting(path));
  if (!S_ISREG(opened.about.st_mode)) return NotRegular(path, opened.about.st_mode);
  return std::move(opened.file);
}

absl::StatusOr<std::string> ReadToEnd(int descriptor, const std::string& path, int64_t max_bytes) {
  // One byte more than the file has, so that the end of the file is seen without a second buffer.
  struct stat about = {};
  const bool sized = fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
  if (sized && about.st_size > max_bytes) return TooLarge(path, about.st_size, max_bytes);
  constexpr size_t kBuffer = 16384;
  std::string bytes(sized ? static_cast<size_t>(about.st_size) + 1 : kBuffer, '\0');
  size_t size = 0;
  while (true) {
    if (size == bytes.size()) bytes.resize(std::max(2 * size, kBuffer));
    const ssize_t count = read(descriptor, &bytes[size], bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path, "cannot be read", errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
    if (static_cast<int64_t>(size) > max_bytes) return TooLarge(path, size, max_bytes);
  }
  bytes.resize(size);
  return bytes;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, int64_t max_bytes) {
  UNIVAL_ASSIGN_OR_RETURN(const Opened opened, OpenWithoutWaiting(path));
  // OpenWithoutWaiting lets a folder through, because reading it gives the system's own message.
  return ReadToEnd(opened.file.get(), path, max_bytes);
}

absl::Status ReadBytesAt(int descriptor, int64_t offset, char* bytes, int64_t size,
                         const std::string& path) {
  while (size > 0) {
    const ssize_t count = pread(descriptor, bytes, static_cast<size_t>(size), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path, "cannot be read", errno);
    if (count == 0) {
      return absl::DataLossError(absl::StrCat(path, ": byte ", offset, ": cut off, expected ", size,
                                              " more bytes; the file was changed while it was in "
                                              "use: restore it, and start again"));
    }
    bytes += count, offset += count, size -= count;
  }
  return absl::OkStatus();
}

bool IsThere(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status WriteFileAtomically(const std::string& path,
                                 const std::vector<absl::string_view>& pieces) {
  UNIVAL_RETURN_IF_ERROR(CheckReplaceable(path));
  UNIVAL_ASSIGN_OR_RETURN(const Staged staged, OpenStaged(path));
  const absl::Status status = WriteAndSync(staged, path, pieces);
  if (!status.ok()) {
    unlink(staged.path.c_str());
    return status;
  }
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

absl::Status PublishFile(const std::string& temporary, const std::string& path) {
  UNIVAL_RETURN_IF_ERROR(CheckReplaceable(path));
  UNIVAL_RETURN_IF_ERROR(SyncFile(temporary));
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return SystemError(path, "cannot rename the finished file to this", errno);
  }
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return error ? SystemError(path, "cannot create this folder", error.value()) : absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  const std::string directory = path.empty() ? "." : path;
  const Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return SystemError(directory, "cannot open this directory", errno);
  // Some network file systems cannot sync directories; this is not an error.
  if (fsync(opened.get()) != 0 && errno != EINVAL) {
    return SystemError(directory, "cannot sync this directory", errno);
  }
  return absl::OkStatus();
}

}  // namespace unival
