#include "examples/world/media_bytes.h"

#include "modalities/io/encode.h"

namespace unival::world {

absl::StatusOr<std::string> PngBytes(const RgbImage& image) {
  return EncodePng(image.pixels, image.width, image.height, /*channels=*/3);
}

absl::StatusOr<std::string> PngBytes(const DepthImage& depth) {
  return EncodeGray16Png(depth.millimetres, depth.width, depth.height);
}

absl::StatusOr<std::string> WavBytes(const std::vector<float>& samples, int sample_rate_hz) {
  return EncodeWav(samples, sample_rate_hz);
}

absl::StatusOr<std::string> VideoBytes(const std::vector<RgbImage>& frames, int frames_per_second) {
  if (frames.empty()) return absl::InvalidArgumentError("video: expected frames, got none");
  std::vector<uint8_t> pixels;
  for (const RgbImage& frame : frames) {
    pixels.insert(pixels.end(), frame.pixels.begin(), frame.pixels.end());
  }
  return EncodeMp4(pixels, static_cast<int>(frames.size()), frames[0].width, frames[0].height,
                   frames_per_second);
}

}  // namespace unival::world
