#include "sdk/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"

namespace unival {

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path,
                                                                   Mode mode) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return SystemError(path, "cannot be opened", errno);
  struct stat about = {};
  if (fstat(file.get(), &about) != 0) return SystemError(path, "cannot be examined", errno);
  if (!S_ISREG(about.st_mode)) return InvalidArgument(path, ": not a regular file");
  if (about.st_size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0));
  const int protection = mode == Mode::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  return Map(file.get(), static_cast<size_t>(about.st_size), protection,
             MAP_PRIVATE | MAP_NORESERVE, path);
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Share(int descriptor, size_t size,
                                                                    const std::string& path) {
  return Map(descriptor, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, path);
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Map(int descriptor, size_t size,
                                                                  int protection, int flags,
                                                                  const std::string& path) {
  void* data = mmap(nullptr, size, protection, flags, descriptor, 0);
  if (data == MAP_FAILED) return SystemError(path, "cannot be mapped", errno);
  return std::shared_ptr<const MappedFile>(new MappedFile(data, size));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace unival
