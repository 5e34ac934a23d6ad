// unival: modalities/io/encode.h
//
// Writes media into memory: for generated data, reports and tests. The bytes depend on the
// arguments alone.
//
//   std::vector<uint8_t> pixels(64 * 64 * 3);
//   absl::StatusOr<std::string> png =
//       EncodePng(pixels, /*width=*/64, /*height=*/64, /*channels=*/3);
//
// Thread-safe: no state between calls. InvalidArgument names a size that does not fit.
#ifndef UNIVAL_MODALITIES_IO_ENCODE_H_
#define UNIVAL_MODALITIES_IO_ENCODE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace unival {

// [height, width, channels] row by row; channels 1 (grey), 3 (RGB) or 4 (RGBA).
absl::StatusOr<std::string> EncodePng(absl::Span<const uint8_t> pixels, int width, int height,
                                      int channels);

// 16-bit grey, [height, width].
absl::StatusOr<std::string> EncodeGray16Png(absl::Span<const uint16_t> pixels, int width,
                                            int height);

// 16-bit PCM; samples [n, channels] interleaved in [-1, 1], clipped beyond.
absl::StatusOr<std::string> EncodeWav(absl::Span<const float> samples, int sample_rate_hz,
                                      int channels = 1);

// FLAC of 16 bits, mono.
absl::StatusOr<std::string> EncodeFlac(absl::Span<const float> samples, int sample_rate_hz);

// frames [count, height, width, 3] uint8 RGB as MPEG-4 part 2 in MP4.
absl::StatusOr<std::string> EncodeMp4(absl::Span<const uint8_t> frames, int count, int width,
                                      int height, int frames_per_second);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_ENCODE_H_
