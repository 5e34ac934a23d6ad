#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/media_container.h"
#include "modalities/io/one_packet.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1a\n";

// libavcodec reports a PNG that is too large as damaged. The header comes first and says the size,
// so the message can be right.
absl::Status CheckPngSize(const std::string& name, const AVPacket& packet, int64_t max_pixels) {
  constexpr int kSizeOffset = 16;  // signature, length and name of the first chunk
  if (packet.size < kSizeOffset + 8) return absl::OkStatus();
  const auto read = [&](int offset) {
    const uint8_t* bytes = packet.data + offset;
    return int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  };
  const int64_t width = read(kSizeOffset), height = read(kSizeOffset + 4);
  if (width == 0 || height <= max_pixels / width) return absl::OkStatus();
  return UnexpectedMedia(name, absl::StrCat("at most ", max_pixels, " pixels"),
                         absl::StrCat(width, " x ", height), "Scale it down or raise max_pixels.");
}

absl::StatusOr<at::Tensor> DecodePng(const EncodedMedia& file, PixelFormat format) {
  UNIVAL_ASSIGN_OR_RETURN(const auto packet, ReadWholePacket(file));
  UNIVAL_RETURN_IF_ERROR(CheckPngSize(file.reader.name(), *packet, file.options.max_pixels));
  return DecodePacket(file, AV_CODEC_ID_PNG, *packet, format);
}

}  // namespace

MediaFormat PngFormat() {
  MediaFormat format{"image", "png", "png"};
  format.available = [] { return HasDecoder("png"); };
  format.matches = [](absl::string_view head) { return absl::StartsWith(head, kSignature); };
  format.decode_image = &DecodePng;
  return format;
}

}  // namespace unival
