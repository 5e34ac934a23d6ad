// unival: mapped_file.h - maps a file into memory (mmap): pages are loaded when they are used.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
//   Parse(file->bytes());  // the views live as long as `file`
#ifndef UNIVAL_SDK_BASE_MAPPED_FILE_H_
#define UNIVAL_SDK_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/descriptor.h"

namespace unival {

// As thread-safe as plain memory. Another program may truncate a file while it is mapped, and disks
// fail; reading such bytes would end the process (SIGBUS). Here they read as zeros instead, and
// Check reports it: call Check after using the bytes and before trusting the result. Files that are
// written by WriteFileAtomically are replaced, not changed, so they are safe.
class MappedFile {
 public:
  enum class Mode {
    kReadOnly,
    // The bytes may be written to. This changes the copy of this process, never the file. For
    // tensors that use the mapping as their memory.
    kCopyOnWrite,
  };

  // Maps a whole file. For an empty file bytes() is "". Errors are those of OpenRegularFile
  // (files.h).
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path,
                                                                Mode mode = Mode::kReadOnly);

  // A range of a file with plain memory before and after it. For a table of which most rows are in
  // one file.
  struct Part {
    size_t begin = 0, end = 0;     // bytes from the start of the file
    size_t before = 0, after = 0;  // bytes of memory before the range and after it
  };
  // Maps a part of a file, copy on write. bytes() has before + (end - begin) + after bytes. The
  // plain memory is uninitialised. InvalidArgument when the range is not inside the file.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> OpenPart(const std::string& path,
                                                                    const Part& part);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const { return {data_, size_}; }

  // DataLoss "PATH: byte N: ..." when bytes that were touched so far could not be read, or the file
  // has become shorter than the mapping.
  absl::Status Check() const;

  // The same for the mapping that contains `address`; OK when no mapping does. For tensors that
  // keep a mapping alive.
  static absl::Status CheckAt(const void* address);
  // As CheckAt, and DataLoss when the file was written to after it was opened: pages that were not
  // loaded before then show the new bytes. For data that is used for a long time, such as weights.
  static absl::Status CheckUnchangedAt(const void* address);

  // Gives the memory of these bytes back to the system, for data that will rarely be read again.
  // The next read loads them from the file again. Pages that were written to keep their content.
  // Does nothing when the bytes are not in a mapping, or when the system does not tell which pages
  // were written to. No other thread may write to these bytes during the call.
  static void ReleaseUnwritten(const void* begin, size_t size);

 private:
  MappedFile(std::string path, Descriptor file, size_t size)
      : path_(std::move(path)), file_(std::move(file)), file_size_(size) {}
  static absl::StatusOr<std::shared_ptr<MappedFile>> OpenUnmapped(const std::string& path);
  absl::Status Map(Mode mode);
  absl::Status MapPart(const Part& part);
  absl::Status Watch();

  const std::string path_;
  const Descriptor file_;
  const size_t file_size_;
  // `data_` and `size_` are bytes(); `pages_` are the pages that contain it.
  char* data_ = nullptr;
  size_t size_ = 0;
  void* pages_ = nullptr;
  size_t pages_size_ = 0;
  int64_t first_byte_ = 0;  // file offset of pages_; below 0 when memory comes before
  int slot_ = -1;           // in the table of the signal handler
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_MAPPED_FILE_H_
