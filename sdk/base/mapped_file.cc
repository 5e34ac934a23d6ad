#include "sdk/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

absl::StatusOr<absl::string_view> Map(int file, const std::string& path) {
  struct stat about = {};
  if (fstat(file, &about) != 0) return absl::ErrnoToStatus(errno, path);
  if (!S_ISREG(about.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a regular file"));
  }
  if (about.st_size == 0) return absl::string_view();
  const size_t size = static_cast<size_t>(about.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED) return absl::ErrnoToStatus(errno, path);
  return absl::string_view(static_cast<const char*>(data), size);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ReadOnlyFile>> ReadOnlyFile::Open(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return absl::ErrnoToStatus(errno, path);
  absl::StatusOr<absl::string_view> bytes = Map(file, path);
  close(file);
  if (!bytes.ok()) return bytes.status();
  return std::shared_ptr<const ReadOnlyFile>(new ReadOnlyFile(*bytes));
}

ReadOnlyFile::~ReadOnlyFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace unival
