// unival: folder_lock.h
//
// One process at a time writes to a folder. The lock is the kernel's (flock on the folder itself):
// no file is left behind, and it ends with the process that holds it, however that ends.
//
//   UNIVAL_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take("runs/depth"));
#ifndef UNIVAL_SDK_BASE_FOLDER_LOCK_H_
#define UNIVAL_SDK_BASE_FOLDER_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "sdk/base/descriptor.h"

namespace unival {

// Movable; holds the lock until it is destroyed. A default-constructed one holds nothing.
class FolderLock {
 public:
  // Does not wait. FailedPrecondition when another process or another object of this one has the
  // lock; NotFound or PermissionDenied name the folder. File systems without locks (some network
  // mounts) give the lock to all.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);

 private:
  Descriptor folder_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FOLDER_LOCK_H_
