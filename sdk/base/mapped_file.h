// unival: mapped_file.h - a file's bytes in memory, loaded by the system as they are touched.
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

// Thread-safe as far as plain memory is. Other programs may cut a file while it is mapped, and
// disks fail; touching such bytes would end the process (SIGBUS). Here they read as zeros, and
// Check says so: whoever used the bytes calls it before the result is believed. Files written by
// WriteFileAtomically are replaced, not changed, and never come to this.
class MappedFile {
 public:
  enum class Mode {
    kReadOnly,
    // Whoever holds a pointer may write: this process's copy changes, never the file. For tensors
    // over the mapping.
    kCopyOnWrite,
  };

  // A whole file; an empty one gives "". Errors as OpenRegularFile (files.h).
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path,
                                                                Mode mode = Mode::kReadOnly);

  // Bytes of a file with memory beside them, for a table of which most rows are in one file.
  struct Part {
    size_t begin = 0, end = 0;     // bytes from the start of the file
    size_t before = 0, after = 0;  // bytes of memory in front of them and behind
  };
  // bytes(): before + (end - begin) + after, copy on write. Memory holds anything until it is
  // written to. InvalidArgument: the part is not in the file.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> OpenPart(const std::string& path,
                                                                    const Part& part);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const { return {data_, size_}; }

  // DataLoss "PATH: byte N: ..." when bytes that were touched so far could not be read, or the file
  // has become shorter than the mapping.
  absl::Status Check() const;

  // The same of whichever mapping holds `address`, for tensors that keep one alive; OK where none
  // does.
  static absl::Status CheckAt(const void* address);
  // CheckAt, and DataLoss where the file was written to since it was opened: what was not touched
  // before shows the new bytes. For what is computed with for long, such as weights.
  static absl::Status CheckUnchangedAt(const void* address);

  // Lets the system take back the memory of these bytes, for what will hardly be read again: it
  // comes from the file once more when it is touched. Pages that were written to keep what they
  // hold. Nothing happens where the bytes are of no mapping, or the system does not say which pages
  // were written to. No other thread may write to them meanwhile.
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
  // What bytes() is, and the pages that it lies in.
  char* data_ = nullptr;
  size_t size_ = 0;
  void* pages_ = nullptr;
  size_t pages_size_ = 0;
  int64_t first_byte_ = 0;  // of the file, at pages_; below 0 where memory lies in front
  int slot_ = -1;           // in the table of the signal handler
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_MAPPED_FILE_H_
