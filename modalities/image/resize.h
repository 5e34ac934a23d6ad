// unival: modalities/image/resize.h
//
// Bicubic resizing with antialiasing, equal to Pillow's to the last bit for 8-bit pixels.
//
//   std::vector<uint8_t> small = ResizeBicubic(pixels, {480, 640, 3}, 64, 64);
#ifndef UNIVAL_MODALITIES_IMAGE_RESIZE_H_
#define UNIVAL_MODALITIES_IMAGE_RESIZE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace unival {

struct PictureSize {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
};

// `pixels` is [height, width, channels] row by row; all sizes positive. Returns [out_height,
// out_width, channels].
std::vector<uint8_t> ResizeBicubic(absl::Span<const uint8_t> pixels, const PictureSize& size,
                                   int64_t out_height, int64_t out_width);
// The same filter without rounding, for depth and other measured values.
std::vector<float> ResizeBicubic(absl::Span<const float> values, const PictureSize& size,
                                 int64_t out_height, int64_t out_width);

// The middle of a picture; a side that is too short is zero-padded on both ends, as torchvision's
// CenterCrop does.
std::vector<uint8_t> CenterCrop(absl::Span<const uint8_t> pixels, const PictureSize& size,
                                int64_t out_height, int64_t out_width);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IMAGE_RESIZE_H_
