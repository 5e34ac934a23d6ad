// unival: mapped_file.h - a whole file, memory-mapped for reading.
#ifndef UNIVAL_SDK_BASE_MAPPED_FILE_H_
#define UNIVAL_SDK_BASE_MAPPED_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// Immutable; thread-safe.
class ReadOnlyFile {
 public:
  // NotFound, PermissionDenied or InvalidArgument (not a regular file), naming the path. An empty
  // file maps to "".
  static absl::StatusOr<std::shared_ptr<const ReadOnlyFile>> Open(const std::string& path);
  ~ReadOnlyFile();
  ReadOnlyFile(const ReadOnlyFile&) = delete;
  ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

  absl::string_view bytes() const { return bytes_; }

 private:
  explicit ReadOnlyFile(absl::string_view bytes) : bytes_(bytes) {}
  absl::string_view bytes_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_MAPPED_FILE_H_
