#include "modalities/io/one_packet.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "modalities/io/limits.h"
#include "modalities/io/picture_writer.h"
#include "modalities/io/pixels.h"
#include "modalities/io/stream_decoder.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

absl::StatusOr<FfmpegPtr<AVPacket>> ReadWholePacket(const EncodedMedia& file) {
  const ByteReader& reader = file.reader;
  UNIVAL_RETURN_IF_ERROR(
      CheckMemory(reader.name(), file.options, reader.size(), "a file that is read whole"));
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  if (reader.size() > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE ||
      av_new_packet(packet.get(), static_cast<int>(reader.size())) < 0) {
    return UnexpectedMedia(reader.name(), "an image of less than 2 GiB",
                           absl::StrCat(reader.size(), " bytes"), "Scale it down.");
  }
  if (reader.ReadAt(0, packet->data, reader.size()) != reader.size()) {
    if (!reader.failure().ok()) return reader.failure();
    return TruncatedMedia(
        UnexpectedMedia(reader.name(), kExpectedImage, "a truncated file", "Write it again."));
  }
  packet->flags |= AV_PKT_FLAG_KEY;
  return packet;
}

}  // namespace

absl::StatusOr<at::Tensor> FrameToTensor(const std::string& name, const DecoderOptions& options,
                                         const AVFrame& frame, PixelFormat format,
                                         Orientation orientation) {
  const bool grey16 = IsGrey16(frame);
  const PictureHead head = {frame.height, frame.width, orientation, grey16};
  UNIVAL_RETURN_IF_ERROR(CheckPixels(name, options, frame.width, frame.height));
  UNIVAL_RETURN_IF_ERROR(CheckMemory(name, options,
                                     FrameBytes(frame) + 4 * int64_t{frame.width} * frame.height,
                                     absl::StrCat("a picture of ", frame.width, " x ", frame.height,
                                                  " in ", PixelFormatName(frame))));
  UNIVAL_ASSIGN_OR_RETURN(
      PictureWriter writer,
      PictureWriter::Create(name, format, options, head,
                            absl::StrCat("pixel format ", PixelFormatName(frame))));
  if (grey16) {
    ForEachGrey16Row(frame,
                     [&](int64_t row, const uint16_t* grey) { writer.PutGrey16(row, grey); });
    return writer.Take();
  }
  const absl::Status status =
      ForEachRgbRow(frame, [&](int64_t row, const uint8_t* rgb) { writer.PutRgb(row, rgb); });
  if (status.ok()) return writer.Take();
  return UnexpectedMedia(name, kExpectedImage, std::string(status.message()), "Convert it to PNG.");
}

absl::StatusOr<at::Tensor> DecodeOnePacket(const EncodedMedia& file, const std::string& decoder,
                                           PixelFormat format, absl::string_view beginning) {
  const std::string& name = file.reader.name();
  UNIVAL_ASSIGN_OR_RETURN(auto packet, ReadWholePacket(file));
  const size_t shown = std::min(beginning.size(), static_cast<size_t>(packet->size));
  std::copy_n(beginning.begin(), shown, packet->data);
  UNIVAL_ASSIGN_OR_RETURN(
      auto stream, StreamDecoder::Create(name, kExpectedImage, file.options,
                                         avcodec_find_decoder_by_name(decoder.c_str()), nullptr));
  stream->Hold(file.reader.size());
  FfmpegPtr<AVFrame> picture;
  const auto take = [&](const AVFrame& frame) -> absl::StatusOr<bool> {
    picture.reset(av_frame_clone(&frame));
    return false;
  };
  UNIVAL_ASSIGN_OR_RETURN(const bool more, stream->Decode(packet.get(), take));
  if (more) UNIVAL_RETURN_IF_ERROR(stream->Decode(nullptr, take).status());
  if (picture == nullptr) {
    return UnexpectedMedia(name, kExpectedImage, "no picture in it", "Write it again.");
  }
  stream.reset();  // with the encoded bytes: only the picture stays beside its tensor
  packet.reset();
  return FrameToTensor(name, file.options, *picture, format);
}

bool HasDecoder(const std::string& decoder) {
  return avcodec_find_decoder_by_name(decoder.c_str()) != nullptr;
}

}  // namespace unival
