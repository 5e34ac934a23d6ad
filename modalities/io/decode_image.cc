#include "modalities/io/decode_image.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "modalities/io/item_orientation.h"
#include "modalities/io/media_container.h"
#include "modalities/io/one_packet.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::StatusOr<at::Tensor> DecodeFirstFrame(const EncodedMedia& file, PixelFormat format) {
  UNIVAL_ASSIGN_OR_RETURN(auto input, MediaContainer::Open(file, kExpectedImage));
  UNIVAL_ASSIGN_OR_RETURN(AVStream * stream, input->FindStream(AVMEDIA_TYPE_VIDEO));
  if (absl::string_view(input->kind().name) != "gif" && stream->nb_frames > 1) {
    return input->Unexpected(absl::StrCat("a video (", input->kind().name, ")"),
                             "Use a video modality, or store the frame as PNG.");
  }
  UNIVAL_ASSIGN_OR_RETURN(auto decoder, input->NewDecoder(stream));
  FfmpegPtr<AVFrame> picture;
  UNIVAL_RETURN_IF_ERROR(
      DecodeStream(*input, stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        picture.reset(av_frame_clone(&frame));
        return false;
      }));
  if (picture == nullptr) return input->Unexpected("no picture in it", "Write it again.");
  decoder.reset();
  const bool is_avif = input->kind().check == &CheckMp4;
  return FrameToTensor(file.reader.name(), file.options, *picture, format,
                       is_avif ? ItemOrientation(file.reader) : Orientation::kUpright);
}

}  // namespace unival
