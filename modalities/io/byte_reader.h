// unival: modalities/io/byte_reader.h - the encoded bytes of a media source.
#ifndef UNIVAL_MODALITIES_IO_BYTE_READER_H_
#define UNIVAL_MODALITIES_IO_BYTE_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/media.h"

namespace unival {

// What messages call a source.
std::string SourceName(const MediaSource& source);

// Random access to the encoded bytes, in memory or on disk. One thread at a time.
class ByteReader {
 public:
  // Media errors: NotFound, or InvalidArgument for empty media, folders and media larger than
  // `max_bytes`. ResourceExhausted when this program can open no more files.
  static absl::StatusOr<std::unique_ptr<ByteReader>> Open(const MediaSource& source,
                                                          int64_t max_bytes);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  const std::string& name() const { return name_; }
  int64_t size() const { return size_; }
  // Bytes copied: min(count, size() - offset), or -1 on a read error.
  int64_t ReadAt(int64_t offset, uint8_t* out, int64_t count) const;

 private:
  ByteReader() = default;
  std::string name_;
  std::shared_ptr<const std::string> bytes_;
  int file_ = -1;
  int64_t size_ = 0;

  friend class MediaContainer;
  int64_t position_ = 0;  // of the demuxer
};

// "name: expected an image, found <found>. <remedy>" as InvalidArgument and media error.
absl::Status UnexpectedMedia(const std::string& name, const std::string& expected,
                             const std::string& found, const std::string& remedy);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_BYTE_READER_H_
