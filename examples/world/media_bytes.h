// unival: media_bytes.h - the world's plain buffers as media files in memory.
//
//   absl::StatusOr<std::string> png = PngBytes(RenderRgb(scene, &random));
//
// Errors of all: Internal with the encoder's reason. Thread-safe.
#ifndef UNIVAL_EXAMPLES_WORLD_MEDIA_BYTES_H_
#define UNIVAL_EXAMPLES_WORLD_MEDIA_BYTES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/world/scene.h"

namespace unival::world {

absl::StatusOr<std::string> PngBytes(const RgbImage& image);    // 8-bit RGB
absl::StatusOr<std::string> PngBytes(const DepthImage& depth);  // 16-bit grey, millimetres
// 16-bit mono WAV of samples in [-1, 1].
absl::StatusOr<std::string> WavBytes(const std::vector<float>& samples, int sample_rate_hz);
// MP4; frames of one size.
absl::StatusOr<std::string> VideoBytes(const std::vector<RgbImage>& frames, int frames_per_second);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_MEDIA_BYTES_H_
