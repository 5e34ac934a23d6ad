#include "examples/quickstart/depth_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "modalities/io/encode.h"

namespace unival::quickstart {
namespace {

constexpr double kNearMm = 500, kFarMm = 8000;

// From near to far; even in lightness, so that distance reads without colour vision.
constexpr std::array<std::array<double, 3>, 6> kColors = {{{255, 240, 160},
                                                           {252, 178, 62},
                                                           {236, 110, 74},
                                                           {190, 72, 134},
                                                           {112, 78, 186},
                                                           {20, 20, 46}}};

std::array<uint8_t, 3> ColorOf(int32_t millimetres) {
  if (millimetres <= 0) return {0, 0, 0};
  const double share = std::log(millimetres / kNearMm) / std::log(kFarMm / kNearMm);
  const double place = std::min(std::max(share, 0.0), 1.0) * (kColors.size() - 1);
  const size_t low = std::min<size_t>(static_cast<size_t>(place), kColors.size() - 2);
  std::array<uint8_t, 3> color;
  for (size_t c = 0; c < 3; ++c) {
    const double mixed = kColors[low][c] + (place - low) * (kColors[low + 1][c] - kColors[low][c]);
    color[c] = static_cast<uint8_t>(std::lround(mixed));
  }
  return color;
}

}  // namespace

absl::StatusOr<std::string> DepthPicturePng(absl::Span<const int32_t> millimetres, int width,
                                            int height) {
  std::vector<uint8_t> pixels;
  pixels.reserve(millimetres.size() * 3);
  for (int32_t depth : millimetres) {
    const std::array<uint8_t, 3> color = ColorOf(depth);
    pixels.insert(pixels.end(), color.begin(), color.end());
  }
  return EncodePng(pixels, width, height, 3);
}

}  // namespace unival::quickstart
