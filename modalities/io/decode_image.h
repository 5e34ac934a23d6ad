// unival: modalities/io/decode_image.h - one still picture through FFmpeg's demuxers.
#ifndef UNIVAL_MODALITIES_IO_DECODE_IMAGE_H_
#define UNIVAL_MODALITIES_IO_DECODE_IMAGE_H_

#include "absl/status/statusor.h"
#include "modalities/io/formats.h"

namespace unival {

// See MediaDecoder::DecodeImage, for what no entry of the table recognises: GIF. Of an animation,
// the first frame.
absl::StatusOr<at::Tensor> DecodeFirstFrame(const EncodedMedia& file, PixelFormat format);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_IMAGE_H_
