#include "training/data/cache/file_lock.h"

#include <sys/file.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sdk/base/files.h"

namespace unival {

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Take(int file, const std::string& path) {
  constexpr absl::Duration kPatience = absl::Seconds(30), kPause = absl::Milliseconds(5);
  const absl::Time end = absl::Now() + kPatience;
  while (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return SystemError(path, "cannot lock", errno);
    if (absl::Now() > end) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, ": another process has kept it locked for ", absl::FormatDuration(kPatience),
          "; end that process or choose another folder with --cache"));
    }
    absl::SleepFor(kPause);
  }
  return std::unique_ptr<FileLock>(new FileLock(file));
}

FileLock::~FileLock() { flock(file_, LOCK_UN); }

}  // namespace unival
