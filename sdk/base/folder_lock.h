// unival: folder_lock.h
//
// Lets only one process at a time write to a folder. It is a lock of the kernel (flock on the
// folder itself). So it leaves no file behind, and it is released when its process ends, also by a
// crash.
//
//   UNIVAL_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take("runs/depth"));
#ifndef UNIVAL_SDK_BASE_FOLDER_LOCK_H_
#define UNIVAL_SDK_BASE_FOLDER_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "sdk/base/descriptor.h"

namespace unival {

// Movable. Holds the lock until it is destroyed. A default-constructed object holds no lock.
class FolderLock {
 public:
  // Does not wait. FailedPrecondition when another process, or another object in this process, has
  // the lock. NotFound and PermissionDenied name the folder. On file systems without locks (some
  // network mounts) this always succeeds.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);

 private:
  Descriptor folder_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FOLDER_LOCK_H_
