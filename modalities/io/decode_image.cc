#include "modalities/io/decode_image.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "modalities/io/media_container.h"
#include "modalities/io/one_packet.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::StatusOr<at::Tensor> DecodeFirstFrame(const MediaSource& source, PixelFormat format,
                                            const DecoderOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(auto input, MediaContainer::Open(source, options, kExpectedImage));
  UNIVAL_ASSIGN_OR_RETURN(AVStream * stream, input->FindStream(AVMEDIA_TYPE_VIDEO));
  if (!input->is_still_image() && input->format_name() != "gif" && stream->nb_frames > 1) {
    return input->Unexpected(absl::StrCat("a video (", input->format_name(), ")"),
                             "Use a video modality, or store the frame as PNG.");
  }
  UNIVAL_ASSIGN_OR_RETURN(auto decoder,
                          StreamDecoder::Create(input->name(), kExpectedImage, options,
                                                stream->codecpar->codec_id, stream->codecpar));
  at::Tensor pixels;
  UNIVAL_RETURN_IF_ERROR(
      DecodeStream(*input, stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        UNIVAL_ASSIGN_OR_RETURN(pixels, FrameToTensor(input->name(), frame, format));
        return false;
      }));
  if (pixels.defined()) return pixels;
  return input->Unexpected("no picture in it", "Write it again.");
}

}  // namespace unival
