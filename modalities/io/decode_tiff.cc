// TIFF through libtiff: strips and tiles, every compression that the library has. Of several pages,
// the first.
#include <tiffio.h>

#include <cstdarg>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/limits.h"
#include "modalities/io/one_packet.h"
#include "modalities/io/tiff_samples.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

// What libtiff's callbacks read.
struct TiffBytes {
  const ByteReader* reader = nullptr;
  int64_t position = 0;
};

tmsize_t ReadTiff(thandle_t handle, void* out, tmsize_t count) {
  auto* bytes = static_cast<TiffBytes*>(handle);
  const int64_t got = bytes->reader->ReadAt(bytes->position, static_cast<uint8_t*>(out), count);
  if (got > 0) bytes->position += got;
  return got < 0 ? 0 : got;
}

tmsize_t WriteTiff(thandle_t, void*, tmsize_t) { return -1; }

toff_t SeekTiff(thandle_t handle, toff_t offset, int whence) {
  auto* bytes = static_cast<TiffBytes*>(handle);
  if (whence == SEEK_CUR) offset += static_cast<toff_t>(bytes->position);
  if (whence == SEEK_END) offset += static_cast<toff_t>(bytes->reader->size());
  if (offset > static_cast<toff_t>(INT64_MAX)) return static_cast<toff_t>(-1);
  bytes->position = static_cast<int64_t>(offset);
  return offset;
}

int CloseTiff(thandle_t) { return 0; }
toff_t SizeOfTiff(thandle_t handle) {
  return static_cast<toff_t>(static_cast<TiffBytes*>(handle)->reader->size());
}

struct CloseDeleter {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};

// The library writes to standard error otherwise; the thread's last error is kept for the message.
thread_local std::string last_error;

void KeepError(const char*, const char* format, va_list arguments) {
  char text[256];
  std::vsnprintf(text, sizeof(text), format, arguments);
  last_error = text;
}

void SilenceTiff() {
  static const bool kDone = [] {
    TIFFSetErrorHandler(&KeepError);
    TIFFSetWarningHandler(nullptr);
    return true;
  }();
  (void)kDone;
  last_error.clear();
}

absl::StatusOr<at::Tensor> DecodeTiff(const EncodedMedia& file, PixelFormat format) {
  SilenceTiff();
  TiffBytes bytes{&file.reader};
  // 'm': no mapping; 'h': only the head, not all directories.
  const std::unique_ptr<TIFF, CloseDeleter> tiff(TIFFClientOpen("tiff", "rm", &bytes, &ReadTiff,
                                                                &WriteTiff, &SeekTiff, &CloseTiff,
                                                                &SizeOfTiff, nullptr, nullptr));
  absl::StatusOr<at::Tensor> pixels = tiff == nullptr ? absl::InvalidArgumentError("no TIFF")
                                                      : ReadTiffPage(tiff.get(), file, format);
  if (pixels.ok() || IsMediaError(pixels.status())) return pixels;
  if (!file.reader.failure().ok()) return file.reader.failure();
  return TruncatedMedia(UnexpectedMedia(
      file.reader.name(), kExpectedImage,
      absl::StrCat("a truncated or damaged TIFF (",
                   last_error.empty() ? std::string(pixels.status().message()) : last_error, ")"),
      "Write it again."));
}

}  // namespace

MediaFormat TiffFormat() {
  MediaFormat format{"image", "tiff", "libtiff", {"tif", "tiff"}};
  format.matches = [](absl::string_view head) {
    return absl::StartsWith(head, absl::string_view("II*\0", 4)) ||
           absl::StartsWith(head, absl::string_view("MM\0*", 4)) ||
           absl::StartsWith(head, absl::string_view("II+\0", 4)) ||
           absl::StartsWith(head, absl::string_view("MM\0+", 4));
  };
  format.decode_image = &DecodeTiff;
  return format;
}

}  // namespace unival
