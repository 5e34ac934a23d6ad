// Formats that need nothing but a signature and libavcodec's decoder.
#include "absl/strings/match.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/one_packet.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using CodecOf = AVCodecID (*)(absl::string_view head);  // NONE: another format

// "P1" to "P6" and white space: bits, grey, colours, as text or as bytes.
AVCodecID PortableAnymap(absl::string_view head) {
  if (head.size() <= 2 || head[0] != 'P') return AV_CODEC_ID_NONE;
  if (head[2] != '\n' && head[2] != ' ' && head[2] != '\r') return AV_CODEC_ID_NONE;
  if (head[1] == '1' || head[1] == '4') return AV_CODEC_ID_PBM;
  if (head[1] == '2' || head[1] == '5') return AV_CODEC_ID_PGM;
  if (head[1] == '3' || head[1] == '6') return AV_CODEC_ID_PPM;
  return AV_CODEC_ID_NONE;
}

AVCodecID Bmp(absl::string_view head) {
  return absl::StartsWith(head, "BM") ? AV_CODEC_ID_BMP : AV_CODEC_ID_NONE;
}

AVCodecID WebP(absl::string_view head) {
  const bool fits = absl::StartsWith(head, "RIFF") && absl::ClippedSubstr(head, 8, 4) == "WEBP";
  return fits ? AV_CODEC_ID_WEBP : AV_CODEC_ID_NONE;
}

AVCodecID Tiff(absl::string_view head) {
  const bool fits = absl::StartsWith(head, absl::string_view("II*\0", 4)) ||
                    absl::StartsWith(head, absl::string_view("MM\0*", 4));
  return fits ? AV_CODEC_ID_TIFF : AV_CODEC_ID_NONE;
}

MediaFormat PacketFormat(const char* name, CodecOf codec_of) {
  MediaFormat format{"image", name, name};
  format.available = [name] { return HasDecoder(name); };
  format.matches = [codec_of](absl::string_view head) {
    return codec_of(head) != AV_CODEC_ID_NONE;
  };
  format.decode_image = [codec_of](const EncodedMedia& file,
                                   PixelFormat pixels) -> absl::StatusOr<at::Tensor> {
    UNIVAL_ASSIGN_OR_RETURN(const auto packet, ReadWholePacket(file));
    const absl::string_view head(reinterpret_cast<const char*>(packet->data), packet->size);
    return DecodePacket(file, codec_of(head), *packet, pixels);
  };
  return format;
}

}  // namespace

std::vector<MediaFormat> PacketFormats() {
  return {PacketFormat("pgm", &PortableAnymap), PacketFormat("bmp", &Bmp),
          PacketFormat("webp", &WebP), PacketFormat("tiff", &Tiff)};
}

}  // namespace unival
