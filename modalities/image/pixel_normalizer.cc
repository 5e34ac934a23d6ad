#include "modalities/image/pixel_normalizer.h"

#include "absl/strings/str_cat.h"

namespace unival {

absl::StatusOr<PixelNormalizer> PixelNormalizer::Create(const Normalization& config,
                                                        const std::string& field) {
  const int means = config.mean_size(), deviations = config.std_size();
  if ((means != 0 && means != 3) || (deviations != 0 && deviations != 3)) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", means, " means and ", deviations,
                                                   " deviations, expected 3 of each or none"));
  }
  PixelNormalizer normalizer;
  for (int channel = 0; channel < 3; ++channel) {
    const float mean = means == 0 ? 0 : config.mean(channel);
    const float deviation = deviations == 0 ? 1 : config.std(channel);
    if (!(deviation > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".std: ", deviation, ", expected a positive value"));
    }
    for (int value = 0; value < 256; ++value) {
      normalizer.tables_[channel][value] = (static_cast<float>(value) / 255.0f - mean) / deviation;
    }
  }
  return normalizer;
}

void PixelNormalizer::Apply(const uint8_t* pixels, int64_t count, float* out,
                            int64_t plane_stride) const {
  for (int channel = 0; channel < 3; ++channel) {
    const std::array<float, 256>& table = tables_[channel];
    float* plane = out + channel * plane_stride;
    for (int64_t i = 0; i < count; ++i) plane[i] = table[pixels[3 * i + channel]];
  }
}

}  // namespace unival
