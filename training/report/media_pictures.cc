#include "training/report/media_pictures.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "modalities/audio/log_mel.h"
#include "modalities/io/encode.h"
#include "sdk/proto/modality.pb.h"

namespace unival::report {
namespace {

constexpr int64_t kSide = 320, kFrameSide = 128, kFrames = 6;
constexpr int64_t kSoundWidth = 480, kSoundHeight = 96;

// [H, W, 3] uint8 in memory.
struct Raster {
  std::vector<uint8_t> pixels;
  int64_t width = 0, height = 0;

  Raster(int64_t w, int64_t h) : pixels(static_cast<size_t>(w * h * 3), 255), width(w), height(h) {}
  void Set(int64_t x, int64_t y, int channel, double value) {
    pixels[static_cast<size_t>((y * width + x) * 3 + channel)] =
        static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
  }
};

// Copies `image`, [H, W, 3] uint8, to `left` of `raster` at `width` x `height`: each pixel the mean
// of those that it stands for.
void DrawScaled(const at::Tensor& image, int64_t left, int64_t width, int64_t height,
                Raster* raster) {
  const auto* bytes = image.data_ptr<uint8_t>();
  const int64_t rows = image.size(0), columns = image.size(1);
  for (int64_t y = 0; y < height; ++y) {
    const int64_t y0 = y * rows / height, y1 = std::max(y0 + 1, (y + 1) * rows / height);
    for (int64_t x = 0; x < width; ++x) {
      const int64_t x0 = x * columns / width, x1 = std::max(x0 + 1, (x + 1) * columns / width);
      for (int channel = 0; channel < 3; ++channel) {
        double sum = 0;
        for (int64_t v = y0; v < y1; ++v) {
          for (int64_t u = x0; u < x1; ++u) sum += bytes[(v * columns + u) * 3 + channel];
        }
        raster->Set(left + x, y, channel, sum / static_cast<double>((y1 - y0) * (x1 - x0)));
      }
    }
  }
}

void AddRaster(const char* kind, const Raster& raster, std::vector<MediaPicture>* pictures) {
  const auto png =
      EncodePng(raster.pixels, static_cast<int>(raster.width), static_cast<int>(raster.height), 3);
  if (!png.ok()) return;
  pictures->push_back(
      {kind, *png, static_cast<int>(raster.width), static_cast<int>(raster.height)});
}

// Sides of a picture of `width` x `height` within a square; small ones are kept.
std::pair<int64_t, int64_t> FitSides(int64_t width, int64_t height, int64_t side) {
  const double scale = std::min(1.0, static_cast<double>(side) / std::max(width, height));
  return {std::max<int64_t>(1, std::llround(width * scale)),
          std::max<int64_t>(1, std::llround(height * scale))};
}

std::vector<MediaPicture> PictureOfImage(const at::Tensor& pixels) {
  const at::Tensor image = pixels.contiguous();
  const auto [width, height] = FitSides(image.size(1), image.size(0), kSide);
  Raster raster(width, height);
  DrawScaled(image, 0, width, height, &raster);
  std::vector<MediaPicture> pictures;
  AddRaster("picture", raster, &pictures);
  return pictures;
}

std::vector<int64_t> EvenFrames(int64_t count, double /*rate*/) {
  std::vector<int64_t> frames;
  const int64_t wanted = std::min(count, kFrames);
  for (int64_t i = 0; i < wanted; ++i) frames.push_back(i * count / wanted);
  return frames;
}

std::vector<MediaPicture> StripOfVideo(const VideoClip& clip) {
  const at::Tensor frames = clip.frames.contiguous();
  std::vector<MediaPicture> pictures;
  if (frames.size(0) == 0) return pictures;
  const auto [width, height] = FitSides(frames.size(2), frames.size(1), kFrameSide);
  Raster raster((width + 2) * frames.size(0) - 2, height);
  for (int64_t i = 0; i < frames.size(0); ++i)
    DrawScaled(frames[i], i * (width + 2), width, height, &raster);
  AddRaster("frames", raster, &pictures);
  return pictures;
}

// The mean of all channels.
std::vector<float> MonoSamples(const AudioClip& clip) {
  const at::Tensor samples = clip.samples.contiguous();
  const int64_t channels = samples.size(0), count = samples.size(1);
  const auto* values = samples.data_ptr<float>();
  std::vector<float> mono(static_cast<size_t>(count), 0);
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < count; ++i)
      mono[static_cast<size_t>(i)] += values[c * count + i] / static_cast<float>(channels);
  }
  return mono;
}

Raster DrawWaveform(const std::vector<float>& samples) {
  Raster raster(kSoundWidth, kSoundHeight);
  const auto count = static_cast<int64_t>(samples.size());
  for (int64_t x = 0; x < kSoundWidth && count > 0; ++x) {
    const int64_t begin = x * count / kSoundWidth;
    const int64_t end = std::max(begin + 1, (x + 1) * count / kSoundWidth);
    const auto [low, high] =
        std::minmax_element(samples.begin() + begin, samples.begin() + std::min(end, count));
    const auto row = [](float value) {
      return std::clamp<int64_t>(std::llround((1 - value) / 2 * (kSoundHeight - 1)), 0,
                                 kSoundHeight - 1);
    };
    for (int64_t y = row(*high); y <= row(*low); ++y) {
      raster.Set(x, y, 0, 0x24);
      raster.Set(x, y, 1, 0x58);
      raster.Set(x, y, 2, 0xC5);
    }
  }
  return raster;
}

// Frequencies in mel from the bottom to the top, the loudest 80 dB from white to black.
void AddSpectrogram(const std::vector<float>& samples, int rate,
                    std::vector<MediaPicture>* pictures) {
  LogMel config;
  config.set_window(1024);
  config.set_hop(std::max<int>(64, static_cast<int>(samples.size()) / kSoundWidth));
  config.set_mel_bins(static_cast<int>(kSoundHeight));
  config.set_min_hz(20);
  config.set_max_hz(rate / 2.0F);
  const auto spectrogram = LogMelSpectrogram::Create(config, rate);
  if (!spectrogram.ok() || samples.size() <= 512) return;
  const int64_t frames = (*spectrogram)->frames(static_cast<int64_t>(samples.size()));
  std::vector<float> decibels(static_cast<size_t>(frames * kSoundHeight));
  (*spectrogram)->Compute(samples, decibels.data());
  const float top = *std::max_element(decibels.begin(), decibels.end());
  Raster raster(frames, kSoundHeight);
  for (int64_t x = 0; x < frames; ++x) {
    for (int64_t y = 0; y < kSoundHeight; ++y) {
      const float level = decibels[static_cast<size_t>(x * kSoundHeight + kSoundHeight - 1 - y)];
      for (int channel = 0; channel < 3; ++channel)
        raster.Set(x, y, channel, (top - level) / 80 * 255);
    }
  }
  AddRaster("spectrogram", raster, pictures);
}

std::vector<MediaPicture> PicturesOfSound(const AudioClip& clip) {
  const std::vector<float> samples = MonoSamples(clip);
  std::vector<MediaPicture> pictures;
  AddRaster("waveform", DrawWaveform(samples), &pictures);
  AddSpectrogram(samples, clip.sample_rate_hz, &pictures);
  return pictures;
}

}  // namespace

std::vector<MediaPicture> PicturesOf(const MediaDecoder& decoder, const MediaSource& source) {
  if (const auto image = decoder.DecodeImage(source, PixelFormat::kRgb8); image.ok())
    return PictureOfImage(*image);
  if (const auto video = decoder.DecodeVideo(source, &EvenFrames); video.ok())
    return StripOfVideo(*video);
  if (const auto sound = decoder.DecodeAudio(source); sound.ok()) return PicturesOfSound(*sound);
  return {};
}

}  // namespace unival::report
