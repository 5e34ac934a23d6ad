// unival: modalities/io/byte_reader.h - the encoded bytes of a media item.
#ifndef UNIVAL_MODALITIES_IO_BYTE_READER_H_
#define UNIVAL_MODALITIES_IO_BYTE_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/descriptor.h"
#include "sdk/native/media.h"

namespace unival {

// Random access to the encoded bytes, in memory or on disk. One thread at a time.
class ByteReader {
 public:
  // Media errors: NotFound, or InvalidArgument for empty media, what is no regular file, and media
  // larger than `max_bytes`. Not media errors: when this program can open no more files, or the
  // machine fails in another way (sdk/native/media_file_error.h).
  static absl::StatusOr<std::unique_ptr<ByteReader>> Open(const MediaSource& media,
                                                          int64_t max_bytes);
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  const std::string& name() const { return name_; }
  int64_t size() const { return size_; }
  // Bytes copied: min(count, size() - offset), fewer when the file became shorter meanwhile, or -1
  // when the system cannot read it; failure() then says why. `offset` may be anything.
  int64_t ReadAt(int64_t offset, uint8_t* out, int64_t count) const;
  // The same into a string.
  std::string Text(int64_t offset, int64_t count) const;
  // Why the first read that gave -1 did; OK without one.
  const absl::Status& failure() const { return failure_; }

 private:
  ByteReader() = default;
  std::string name_;
  std::shared_ptr<const std::string> bytes_;
  Descriptor file_;
  int64_t size_ = 0;
  mutable absl::Status failure_;
};

// Forwards through a file, a block at a time. Lives no longer than its reader.
class SequentialBytes {
 public:
  explicit SequentialBytes(const ByteReader& reader, int64_t begin = 0)
      : reader_(reader), block_begin_(begin) {}

  // Bytes copied: fewer than `count` only at the end or when the system cannot read.
  int64_t Read(uint8_t* out, int64_t count);
  void Skip(int64_t count);
  int64_t position() const { return block_begin_ + at_; }
  // The next bytes, at least one of them, that the block holds; empty at the end. They count as
  // read and live until the next call.
  absl::string_view NextBlock();

 private:
  bool Fill();

  const ByteReader& reader_;
  std::string block_;
  int64_t block_begin_;
  int64_t at_ = 0;  // in the block
};

// "name: expected an image, found <found>. <remedy>" as InvalidArgument and media error.
absl::Status UnexpectedMedia(const std::string& name, const std::string& expected,
                             const std::string& found, const std::string& remedy);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_BYTE_READER_H_
