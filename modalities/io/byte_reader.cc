#include "modalities/io/byte_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

absl::Status CannotOpen(const std::string& name, int error) {
  const std::string message =
      absl::StrCat(name, ": cannot open: ", strerror(error), ". Check the path.");
  // Of this program, not of the file.
  if (error == EMFILE || error == ENFILE || error == ENOMEM) {
    return absl::ResourceExhaustedError(message);
  }
  return MediaError(error == ENOENT ? absl::NotFoundError(message)
                                    : absl::InvalidArgumentError(message));
}

}  // namespace

std::string SourceName(const MediaSource& source) {
  if (!source.name.empty()) return source.name;
  return source.path.empty() ? "media in memory" : source.path;
}

absl::Status UnexpectedMedia(const std::string& name, const std::string& expected,
                             const std::string& found, const std::string& remedy) {
  return MediaError(absl::InvalidArgumentError(
      absl::StrCat(name, ": expected ", expected, ", found ", found, ". ", remedy)));
}

absl::StatusOr<std::unique_ptr<ByteReader>> ByteReader::Open(const MediaSource& source,
                                                             int64_t max_bytes) {
  auto reader = std::unique_ptr<ByteReader>(new ByteReader);
  reader->name_ = SourceName(source);
  if (source.bytes != nullptr) {
    reader->bytes_ = source.bytes;
    reader->size_ = static_cast<int64_t>(source.bytes->size());
  } else {
    reader->file_ = open(source.path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info = {};
    if (reader->file_ < 0 || fstat(reader->file_, &info) != 0) {
      return CannotOpen(reader->name_, errno);
    }
    if (!S_ISREG(info.st_mode)) {
      return UnexpectedMedia(reader->name_, "a media file", "something that is not a regular file",
                             "Name a file.");
    }
    reader->size_ = info.st_size;
  }
  if (reader->size_ == 0) {
    return UnexpectedMedia(reader->name_, "media", "0 bytes", "The file is empty: write it again.");
  }
  if (reader->size_ > max_bytes) {
    return UnexpectedMedia(reader->name_, absl::StrCat("at most ", max_bytes, " bytes"),
                           absl::StrCat(reader->size_), "Raise max_bytes or split the file.");
  }
  return reader;
}

ByteReader::~ByteReader() {
  if (file_ >= 0) close(file_);
}

int64_t ByteReader::ReadAt(int64_t offset, uint8_t* out, int64_t count) const {
  const int64_t available = std::clamp<int64_t>(size_ - offset, 0, count);
  if (bytes_ != nullptr) {
    if (available > 0) std::memcpy(out, bytes_->data() + offset, available);
    return available;
  }
  int64_t done = 0;
  while (done < available) {
    const ssize_t got = pread(file_, out + done, available - done, offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += got;
  }
  return done;
}

}  // namespace unival
