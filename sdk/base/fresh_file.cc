#include "sdk/base/fresh_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"

namespace unival {

absl::Status MakeFreshFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return SystemError(path, "cannot be replaced", errno);
  }
  constexpr mode_t kMode = 0644;
  const Descriptor made(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  return made.is_open() ? absl::OkStatus() : SystemError(path, "cannot be written", errno);
}

}  // namespace unival
