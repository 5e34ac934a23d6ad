#include "sdk/base/files.h"

#include <fcntl.h>
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
#include "sdk/base/descriptor.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

std::string TemporaryName(const std::string& path) {
  static std::atomic<int> counter{0};
  return absl::StrCat(path, ".tmp.", getpid(), ".", counter++);
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

absl::Status WriteAndSync(const std::string& path, const std::vector<absl::string_view>& pieces) {
  constexpr mode_t kMode = 0644;
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!file.is_open()) return SystemError(path, "cannot create", errno);
  for (absl::string_view piece : pieces) {
    UNIVAL_RETURN_IF_ERROR(WriteAll(file.get(), piece, path));
  }
  if (fsync(file.get()) != 0) return SystemError(path, "cannot sync", errno);
  return absl::OkStatus();
}

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EISDIR:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status SystemError(const std::string& path, absl::string_view what, int error) {
  std::string reason = std::strerror(error);
  if (!reason.empty()) reason[0] = absl::ascii_tolower(reason[0]);  // it ends a sentence
  return absl::Status(CodeOf(error), absl::StrCat(path, ": ", what, ": ", reason));
}

absl::StatusOr<std::string> ReadToEnd(int descriptor, const std::string& path) {
  // One more than the file has, so that its end is seen without another buffer.
  struct stat about = {};
  const bool sized = fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
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
  }
  bytes.resize(size);
  return bytes;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return SystemError(path, "cannot be opened", errno);
  return ReadToEnd(file.get(), path);
}

absl::Status WriteFileAtomically(const std::string& path,
                                 const std::vector<absl::string_view>& pieces) {
  const std::string temporary = TemporaryName(path);
  absl::Status status = WriteAndSync(temporary, pieces);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = SystemError(path, "cannot rename the finished file to this", errno);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

absl::Status SyncFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return SystemError(path, "cannot be opened", errno);
  return fsync(file.get()) == 0 ? absl::OkStatus() : SystemError(path, "cannot sync", errno);
}

absl::Status SyncDirectory(const std::string& path) {
  const std::string directory = path.empty() ? "." : path;
  const Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return SystemError(directory, "cannot open this directory", errno);
  // Some network file systems cannot sync directories; there is nothing more to do there.
  if (fsync(opened.get()) != 0 && errno != EINVAL) {
    return SystemError(directory, "cannot sync this directory", errno);
  }
  return absl::OkStatus();
}

}  // namespace unival
