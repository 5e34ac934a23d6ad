#include "modalities/io/byte_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/native/media_bytes.h"
#include "sdk/native/media_file_error.h"

namespace unival {
namespace {

constexpr int64_t kBlockBytes = 64 * 1024;

}  // namespace

absl::Status UnexpectedMedia(const std::string& name, const std::string& expected,
                             const std::string& found, const std::string& remedy) {
  return MediaError(absl::InvalidArgumentError(
      absl::StrCat(name, ": expected ", expected, ", found ", found, ". ", remedy)));
}

absl::StatusOr<std::unique_ptr<ByteReader>> ByteReader::Open(const MediaSource& media,
                                                             int64_t max_bytes) {
  auto reader = std::unique_ptr<ByteReader>(new ByteReader);
  reader->name_ = MediaName(media);
  if (media.bytes != nullptr) {
    reader->bytes_ = media.bytes;
    reader->size_ = static_cast<int64_t>(media.bytes->size());
  } else {
    absl::StatusOr<Descriptor> file = OpenRegularFile(media.path);
    struct stat info = {};
    if (!file.ok()) return MediaFileError(file.status());
    if (fstat(file->get(), &info) != 0) return MediaFileError(media.path, "cannot open", errno);
    reader->file_ = *std::move(file);
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

int64_t ByteReader::ReadAt(int64_t offset, uint8_t* out, int64_t count) const {
  if (offset < 0 || offset >= size_ || count <= 0) return 0;
  const int64_t available = std::clamp<int64_t>(size_ - offset, 0, count);
  if (bytes_ != nullptr) {
    if (available > 0) std::memcpy(out, bytes_->data() + offset, available);
    return available;
  }
  int64_t done = 0;
  while (done < available) {
    const ssize_t got = pread(file_.get(), out + done, available - done, offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      if (failure_.ok()) failure_ = MediaFileError(name_, "cannot read", errno);
      return -1;
    }
    if (got == 0) break;
    done += got;
  }
  return done;
}

std::string ByteReader::Text(int64_t offset, int64_t count) const {
  const int64_t most = offset < 0 || count < 0 ? 0 : std::min(count, size_ - offset);
  std::string text(std::max<int64_t>(most, 0), '\0');
  const int64_t got = ReadAt(offset, reinterpret_cast<uint8_t*>(&text[0]), text.size());
  text.resize(std::max<int64_t>(got, 0));
  return text;
}

bool SequentialBytes::Fill() {
  if (at_ < static_cast<int64_t>(block_.size())) return true;
  block_begin_ += at_;
  at_ = 0;
  block_ = reader_.Text(block_begin_, kBlockBytes);
  return !block_.empty();
}

absl::string_view SequentialBytes::NextBlock() {
  if (!Fill()) return {};
  const absl::string_view rest = absl::string_view(block_).substr(at_);
  at_ = static_cast<int64_t>(block_.size());
  return rest;
}

int64_t SequentialBytes::Read(uint8_t* out, int64_t count) {
  int64_t done = 0;
  while (done < count && Fill()) {
    const int64_t some = std::min<int64_t>(count - done, static_cast<int64_t>(block_.size()) - at_);
    std::memcpy(out + done, block_.data() + at_, some);
    at_ += some;
    done += some;
  }
  return done;
}

void SequentialBytes::Skip(int64_t count) {
  if (count <= static_cast<int64_t>(block_.size()) - at_) {
    at_ += count;
    return;
  }
  block_begin_ += at_ + count;
  at_ = 0;
  block_.clear();
}

}  // namespace unival
