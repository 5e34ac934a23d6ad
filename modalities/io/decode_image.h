// unival: modalities/io/decode_image.h - one still picture.
#ifndef UNIVAL_MODALITIES_IO_DECODE_IMAGE_H_
#define UNIVAL_MODALITIES_IO_DECODE_IMAGE_H_

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"

namespace unival {

// See MediaDecoder::DecodeImage. Of an animation, the first frame.
absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& source, PixelFormat format,
                                       const DecoderOptions& options);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_IMAGE_H_
