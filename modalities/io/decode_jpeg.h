// unival: decode_jpeg.h - JPEG to pixels through libjpeg-turbo, equal to Pillow's to the bit.
//
// FFmpeg's inverse transforms round some coefficients otherwise; models that were trained on what
// the IJG's library decodes should see the same pixels (docs/decisions/0007_jpeg.md).
#ifndef UNIVAL_MODALITIES_IO_DECODE_JPEG_H_
#define UNIVAL_MODALITIES_IO_DECODE_JPEG_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sdk/native/media.h"

namespace unival {

// [height, width, 3] or [height, width, 1] uint8. Unimplemented for what only FFmpeg reads (CMYK,
// 12 bits, lossless, 16-bit grey asked for); InvalidArgument for damaged files and for more than
// `max_pixels`, naming `name`. Thread-safe.
absl::StatusOr<at::Tensor> DecodeJpeg(const std::string& name, absl::Span<const uint8_t> bytes,
                                      PixelFormat format, int64_t max_pixels);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_JPEG_H_
