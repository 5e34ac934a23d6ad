// unival: modalities/image/pixel_normalizer.h - 8-bit pixels to network input: (x / 255 - mean) /
// std, channels first.
#ifndef UNIVAL_MODALITIES_IMAGE_PIXEL_NORMALIZER_H_
#define UNIVAL_MODALITIES_IMAGE_PIXEL_NORMALIZER_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// Immutable; one table look-up a pixel.
class PixelNormalizer {
 public:
  // InvalidArgument names `field` unless there are 0 or 3 means and as many positive deviations.
  static absl::StatusOr<PixelNormalizer> Create(const Normalization& config,
                                                const std::string& field);

  // `pixels` [count, 3] -> three planes of `count` values, `plane_stride` apart.
  void Apply(const uint8_t* pixels, int64_t count, float* out, int64_t plane_stride) const;

 private:
  std::array<std::array<float, 256>, 3> tables_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IMAGE_PIXEL_NORMALIZER_H_
