#include "sdk/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"

namespace unival {

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  FolderLock lock;
  lock.folder_ = Descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.folder_.is_open()) return SystemError(folder, "cannot be opened", errno);
  if (flock(lock.folder_.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return lock;  // this file system has no locks
  return absl::FailedPreconditionError(absl::StrCat(
      folder,
      ": another process is writing to this folder; wait for it to end, or choose another folder"));
}

}  // namespace unival
