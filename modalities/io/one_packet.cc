#include "modalities/io/one_packet.h"

#include <ATen/ops/empty.h>

#include "absl/strings/str_cat.h"
#include "modalities/io/media_container.h"
#include "modalities/io/pixels.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::StatusOr<at::Tensor> FrameToTensor(const std::string& name, const AVFrame& frame,
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
  return UnexpectedMedia(name, kExpectedImage, std::string(status.message()), "Convert it to PNG.");
}

absl::StatusOr<FfmpegPtr<AVPacket>> ReadWholePacket(const EncodedMedia& file) {
  const ByteReader& reader = file.reader;
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  if (reader.size() > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE ||
      av_new_packet(packet.get(), static_cast<int>(reader.size())) < 0) {
    return UnexpectedMedia(reader.name(), "an image of less than 2 GiB",
                           absl::StrCat(reader.size(), " bytes"), "Scale it down.");
  }
  if (reader.ReadAt(0, packet->data, reader.size()) != reader.size()) {
    return UnexpectedMedia(reader.name(), kExpectedImage, "a truncated file", "Write it again.");
  }
  packet->flags |= AV_PKT_FLAG_KEY;
  return packet;
}

absl::StatusOr<at::Tensor> DecodePacket(const EncodedMedia& file, AVCodecID codec, AVPacket& packet,
                                        PixelFormat format) {
  const std::string& name = file.reader.name();
  UNIVAL_ASSIGN_OR_RETURN(
      auto decoder, StreamDecoder::Create(name, kExpectedImage, file.options, codec, nullptr));
  at::Tensor pixels;
  const auto take = [&](const AVFrame& frame) -> absl::StatusOr<bool> {
    UNIVAL_ASSIGN_OR_RETURN(pixels, FrameToTensor(name, frame, format));
    return false;
  };
  UNIVAL_ASSIGN_OR_RETURN(const bool more, decoder->Decode(&packet, take));
  if (more) UNIVAL_RETURN_IF_ERROR(decoder->Decode(nullptr, take).status());
  if (pixels.defined()) return pixels;
  return UnexpectedMedia(name, kExpectedImage, "no picture in it", "Write it again.");
}

bool HasDecoder(const std::string& decoder) {
  return avcodec_find_decoder_by_name(decoder.c_str()) != nullptr;
}

}  // namespace unival
