#include "training/data/files/unpacked_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr absl::string_view kGzip = "\x1f\x8b", kZstd = "\x28\xb5\x2f\xfd";

// A file without a name, so that it vanishes with its last user.
class UnnamedFile {
 public:
  // `near`: the file in whose folder it is made where that is possible.
  static absl::StatusOr<UnnamedFile> Create(const std::string& near) {
    const size_t slash = near.rfind('/');
    const std::string beside = slash == std::string::npos ? "." : near.substr(0, slash + 1);
    for (const std::string& folder : {beside, std::string("/var/tmp")}) {
      const int made = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
      if (made >= 0) return UnnamedFile(made);
    }
    const int made = memfd_create("unival", MFD_CLOEXEC);
    if (made >= 0) return UnnamedFile(made);
    return SystemError(near, "no room for its unpacked content", errno);
  }

  absl::Status Append(const char* bytes, size_t size, const std::string& name) {
    while (size > 0) {
      const ssize_t written = write(file_.get(), bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError(name, "its unpacked content cannot be stored", errno);
      bytes += written;
      size -= static_cast<size_t>(written);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::shared_ptr<const MappedFile>> Map() const {
    return MappedFile::Open(absl::StrCat("/proc/self/fd/", file_.get()));
  }

 private:
  explicit UnnamedFile(int descriptor) : file_(descriptor) {}
  Descriptor file_;
};

// Takes pieces of content, up to a bound.
class Unpacked {
 public:
  Unpacked(const std::string& name, int64_t packed, UnnamedFile* file)
      : name_(name), most_(MostUnpacked(packed)), file_(file) {}

  absl::Status Add(const char* bytes, size_t size) {
    total_ += static_cast<int64_t>(size);
    if (total_ <= most_) return file_->Append(bytes, size, name_);
    return absl::ResourceExhaustedError(
        absl::StrCat(name_, ": unpacks to more than ", most_,
                     " bytes, which no text and no media do; if it is meant, unpack it by hand"));
  }

 private:
  const std::string& name_;
  const int64_t most_;
  int64_t total_ = 0;
  UnnamedFile* const file_;
};

absl::Status Damaged(const std::string& name, absl::string_view kind, absl::string_view why) {
  return absl::DataLossError(
      absl::StrCat(name, ": damaged ", kind, " file: ", why, "; fetch or pack it again"));
}

// All members one after the other; sums are checked.
absl::Status UnpackGzip(absl::string_view packed, const std::string& name, Unpacked* out) {
  z_stream stream = {};
  constexpr int kGzipOnly = 15 + 16;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return absl::ResourceExhaustedError("no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  std::vector<char> piece(kPiece);
  int result = Z_OK;
  while (true) {
    if (stream.avail_in == 0) {
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
      stream.avail_in = static_cast<uInt>(std::min(packed.size(), kPiece));
      packed.remove_prefix(stream.avail_in);
    }
    if (stream.avail_in == 0) break;
    // What follows a member is the next one; anything else, as padding, ends the file.
    if (result == Z_STREAM_END && (*stream.next_in != 0x1f || inflateReset(&stream) != Z_OK)) break;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(kPiece);
      result = inflate(&stream, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return Damaged(name, "gzip", stream.msg == nullptr ? "cannot be read" : stream.msg);
      }
      UNIVAL_RETURN_IF_ERROR(out->Add(piece.data(), kPiece - stream.avail_out));
    } while (stream.avail_out == 0);
  }
  return result == Z_STREAM_END ? absl::OkStatus() : Damaged(name, "gzip", "it is cut off");
}

absl::Status UnpackZstd(absl::string_view packed, const std::string& name, Unpacked* out) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   &ZSTD_freeDCtx);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory");
  std::vector<char> piece(kPiece);
  ZSTD_inBuffer in = {packed.data(), packed.size(), 0};
  size_t left = 1;
  bool is_full = false;
  while (in.pos < in.size || is_full) {
    ZSTD_outBuffer room = {piece.data(), piece.size(), 0};
    left = ZSTD_decompressStream(context.get(), &room, &in);
    if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge) {
      return InvalidArgument(name,
                             ": unpacking it takes more memory than 128 MiB, as files do that "
                             "are made with `zstd --long`; pack it again without");
    }
    if (ZSTD_isError(left) != 0) return Damaged(name, "zstd", ZSTD_getErrorName(left));
    UNIVAL_RETURN_IF_ERROR(out->Add(piece.data(), room.pos));
    is_full = room.pos == room.size;
  }
  return left == 0 ? absl::OkStatus() : Damaged(name, "zstd", "it is cut off");
}

absl::StatusOr<std::shared_ptr<const MappedFile>> ReadStandardInput() {
  UNIVAL_ASSIGN_OR_RETURN(UnnamedFile file, UnnamedFile::Create("./-"));
  std::vector<char> piece(kPiece);
  while (true) {
    const ssize_t count = read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("standard input", "cannot be read", errno);
    if (count == 0) break;
    UNIVAL_RETURN_IF_ERROR(file.Append(piece.data(), static_cast<size_t>(count), "standard input"));
  }
  return file.Map();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> OpenUnpacked(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(auto packed, path == "-" ? ReadStandardInput() : MappedFile::Open(path));
  const absl::string_view bytes = packed->bytes();
  const bool is_gzip = absl::StartsWith(bytes, kGzip), is_zstd = absl::StartsWith(bytes, kZstd);
  if (!is_gzip && !is_zstd) return packed;
  UNIVAL_ASSIGN_OR_RETURN(UnnamedFile file, UnnamedFile::Create(path));
  Unpacked content(path, static_cast<int64_t>(bytes.size()), &file);
  const absl::Status unpacked =
      is_gzip ? UnpackGzip(bytes, path, &content) : UnpackZstd(bytes, path, &content);
  UNIVAL_RETURN_IF_ERROR(packed->Check());
  UNIVAL_RETURN_IF_ERROR(unpacked);
  return file.Map();
}

}  // namespace unival
