// unival: mapped_file.h - a file's bytes in memory, loaded by the system as they are touched.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
//   Parse(file->bytes());  // the views live as long as `file`
#ifndef UNIVAL_SDK_BASE_MAPPED_FILE_H_
#define UNIVAL_SDK_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// Thread-safe as far as plain memory is. The file must not be truncated while mapped; files written
// by WriteFileAtomically are replaced, not changed.
class MappedFile {
 public:
  enum class Mode {
    kReadOnly,
    // Whoever holds a pointer may write: this process's copy changes, never the file. For tensors
    // over the mapping.
    kCopyOnWrite,
  };

  // A whole file; an empty one gives "". Errors as SystemError; InvalidArgument for what is no
  // regular file.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path,
                                                                Mode mode = Mode::kReadOnly);

  // The first `size` > 0 bytes of a file that is open for reading, as they are now and as others
  // write them later. `size` may reach past the end of a file that grows: those bytes must not be
  // touched before they are written. The descriptor may be closed. `path` is only named in
  // messages.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Share(int descriptor, size_t size,
                                                                 const std::string& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Map(int descriptor, size_t size,
                                                               int protection, int flags,
                                                               const std::string& path);
  MappedFile(void* data, size_t size) : data_(data), size_(size) {}

  void* const data_;
  const size_t size_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_MAPPED_FILE_H_
