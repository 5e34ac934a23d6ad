// Any bytes as an image, a sound and a video: gives an error, or tensors within the limits.
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "modalities/io/decoder.h"
#include "tests/fuzz/require.h"

using unival::Require;

namespace {

constexpr int64_t kMaxPixels = 1 << 18;
constexpr int64_t kMaxBytes = 1 << 24;

const unival::MediaDecoder& Decoder() {
  static const unival::MediaDecoder* const kDecoder = [] {
    unival::DecoderOptions options;
    options.max_pixels = kMaxPixels;
    options.max_seconds = 10;
    options.max_frames = 100;
    options.max_decoded_bytes = kMaxBytes;
    return unival::NewFfmpegDecoder(options).release();
  }();
  return *kDecoder;
}

template <typename Result>
bool Decoded(const Result& result) {
  if (!result.ok()) Require(!result.status().message().empty());
  return result.ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  unival::MediaSource media;
  media.name = "fuzz";
  media.bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(data), size);
  for (const auto format : {unival::PixelFormat::kRgb8, unival::PixelFormat::kGray16}) {
    const auto pixels = Decoder().DecodeImage(media, format);
    if (Decoded(pixels)) Require(pixels->size(0) * pixels->size(1) <= kMaxPixels);
  }
  const auto clip = Decoder().DecodeAudio(media);
  if (Decoded(clip)) {
    Require(clip->sample_rate_hz > 0 && clip->samples.numel() > 0);
    Require(static_cast<int64_t>(clip->samples.nbytes()) <= kMaxBytes);
  }
  const auto video = Decoder().DecodeVideo(media, [](int64_t count, double) {
    return std::vector<int64_t>{0, count - 1};
  });
  if (Decoded(video)) Require(video->frames.size(0) == 2);
  return 0;
}
