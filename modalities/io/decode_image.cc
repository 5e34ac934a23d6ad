#include "modalities/io/decode_image.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "modalities/io/decode_jpeg.h"
#include "modalities/io/media_input.h"
#include "modalities/io/pixels.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kExpected[] = "an image";

// Formats whose whole file is one packet of their decoder: these need no demuxer. NONE for all
// others.
AVCodecID CodecFromMagic(absl::string_view head) {
  using absl::StartsWith;
  if (StartsWith(head, "\x89PNG\r\n\x1a\n")) return AV_CODEC_ID_PNG;
  if (StartsWith(head, "\xff\xd8\xff")) return AV_CODEC_ID_MJPEG;
  if (StartsWith(head, "BM")) return AV_CODEC_ID_BMP;
  if (StartsWith(head, "RIFF") && head.substr(8, 4) == "WEBP") return AV_CODEC_ID_WEBP;
  if (StartsWith(head, absl::string_view("II*\0", 4))) return AV_CODEC_ID_TIFF;
  if (StartsWith(head, absl::string_view("MM\0*", 4))) return AV_CODEC_ID_TIFF;
  if (head.size() > 2 && head[0] == 'P' && (head[2] == '\n' || head[2] == ' ' || head[2] == '\r')) {
    if (head[1] == '1' || head[1] == '4') return AV_CODEC_ID_PBM;
    if (head[1] == '2' || head[1] == '5') return AV_CODEC_ID_PGM;
    if (head[1] == '3' || head[1] == '6') return AV_CODEC_ID_PPM;
  }
  return AV_CODEC_ID_NONE;
}

// libavcodec fills the missing part of a cut JPEG with grey and reports no error; the missing end
// marker is the only sign.
bool IsCutJpeg(AVCodecID codec, const AVPacket& packet) {
  if (codec != AV_CODEC_ID_MJPEG) return false;
  const absl::string_view bytes(reinterpret_cast<const char*>(packet.data), packet.size);
  const size_t scan = bytes.rfind("\xff\xda");
  const size_t end = bytes.rfind("\xff\xd9");
  return scan != absl::string_view::npos && (end == absl::string_view::npos || end < scan);
}

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

absl::StatusOr<at::Tensor> ToTensor(const std::string& name, const AVFrame& frame,
                                    PixelFormat format) {
  const int64_t height = frame.height, width = frame.width;
  if (format == PixelFormat::kGray16) {
    at::Tensor pixels = at::empty({height, width, 1}, at::kInt);
    if (WriteGray16(frame, pixels.data_ptr<int32_t>())) return pixels;
    return UnexpectedMedia(name, "a 16-bit grey image",
                           absl::StrCat("pixel format ", PixelFormatName(frame)),
                           "Store it as 16-bit grey PNG, PGM or TIFF.");
  }
  const bool grey = format == PixelFormat::kGray8;
  at::Tensor pixels = at::empty({height, width, grey ? 1 : 3}, at::kByte);
  const absl::Status status = grey ? WriteGray8(frame, pixels.data_ptr<uint8_t>())
                                   : WriteRgb8(frame, pixels.data_ptr<uint8_t>());
  if (status.ok()) return pixels;
  return UnexpectedMedia(name, kExpected, std::string(status.message()), "Convert it to PNG.");
}

absl::StatusOr<at::Tensor> DecodeOnePacket(const ByteReader& reader, AVCodecID codec,
                                           PixelFormat format, const DecoderOptions& options) {
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  if (reader.size() > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE ||
      av_new_packet(packet.get(), static_cast<int>(reader.size())) < 0) {
    return UnexpectedMedia(reader.name(), "an image of less than 2 GiB",
                           absl::StrCat(reader.size(), " bytes"), "Scale it down.");
  }
  if (reader.ReadAt(0, packet->data, reader.size()) != reader.size() || IsCutJpeg(codec, *packet)) {
    return UnexpectedMedia(reader.name(), kExpected, "a truncated file", "Write it again.");
  }
  if (codec == AV_CODEC_ID_MJPEG) {
    absl::StatusOr<at::Tensor> pixels =
        DecodeJpeg(reader.name(), {packet->data, static_cast<size_t>(packet->size)}, format,
                   options.max_pixels);
    if (!absl::IsUnimplemented(pixels.status())) return pixels;
  }
  if (codec == AV_CODEC_ID_PNG) {
    UNIVAL_RETURN_IF_ERROR(CheckPngSize(reader.name(), *packet, options.max_pixels));
  }
  packet->flags |= AV_PKT_FLAG_KEY;
  UNIVAL_ASSIGN_OR_RETURN(auto decoder,
                          StreamDecoder::Create(reader.name(), kExpected, options, codec, nullptr));
  at::Tensor pixels;
  const auto take = [&](const AVFrame& frame) -> absl::StatusOr<bool> {
    UNIVAL_ASSIGN_OR_RETURN(pixels, ToTensor(reader.name(), frame, format));
    return false;
  };
  UNIVAL_ASSIGN_OR_RETURN(const bool more, decoder->Decode(packet.get(), take));
  if (more) UNIVAL_RETURN_IF_ERROR(decoder->Decode(nullptr, take).status());
  if (pixels.defined()) return pixels;
  return UnexpectedMedia(reader.name(), kExpected, "no picture in it", "Write it again.");
}

// GIF, AVIF and whatever else the demuxers know.
absl::StatusOr<at::Tensor> DecodeFirstFrame(const MediaSource& source, PixelFormat format,
                                            const DecoderOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(auto input, MediaInput::Open(source, options, kExpected));
  UNIVAL_ASSIGN_OR_RETURN(AVStream * stream, input->FindStream(AVMEDIA_TYPE_VIDEO));
  if (!input->is_still_image() && input->format_name() != "gif" && stream->nb_frames > 1) {
    return input->Unexpected(absl::StrCat("a video (", input->format_name(), ")"),
                             "Use a video modality, or store the frame as PNG.");
  }
  UNIVAL_ASSIGN_OR_RETURN(auto decoder,
                          StreamDecoder::Create(input->name(), kExpected, options,
                                                stream->codecpar->codec_id, stream->codecpar));
  at::Tensor pixels;
  UNIVAL_RETURN_IF_ERROR(
      DecodeStream(*input, stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        UNIVAL_ASSIGN_OR_RETURN(pixels, ToTensor(input->name(), frame, format));
        return false;
      }));
  if (pixels.defined()) return pixels;
  return input->Unexpected("no picture in it", "Write it again.");
}

}  // namespace

absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& source, PixelFormat format,
                                       const DecoderOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(auto reader, ByteReader::Open(source, options.max_bytes));
  uint8_t head[16] = {};
  const int64_t got = reader->ReadAt(0, head, sizeof(head));
  const AVCodecID codec = CodecFromMagic(
      {reinterpret_cast<const char*>(head), static_cast<size_t>(std::max<int64_t>(got, 0))});
  if (codec == AV_CODEC_ID_NONE) return DecodeFirstFrame(source, format, options);
  return DecodeOnePacket(*reader, codec, format, options);
}

}  // namespace unival
