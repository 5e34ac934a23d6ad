// unival: file_lock.h - a lock on an open file between processes, for the moment of one write.
#ifndef UNIVAL_TRAINING_DATA_CACHE_FILE_LOCK_H_
#define UNIVAL_TRAINING_DATA_CACHE_FILE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace unival {

// Holds the lock until it is destroyed, or until its process ends.
class FileLock {
 public:
  // Waits while others write. FailedPrecondition, with `path`, when the lock is kept for half a
  // minute: then something holds it that is no run of this program, or one that was stopped.
  static absl::StatusOr<std::unique_ptr<FileLock>> Take(int file, const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int file) : file_(file) {}
  const int file_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CACHE_FILE_LOCK_H_
