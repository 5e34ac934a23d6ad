#include "modalities/audio/augmentation.h"

#include <algorithm>
#include <cmath>

namespace unival {
namespace {

std::vector<float> Shifted(const std::vector<float>& samples, int64_t by) {
  const auto size = static_cast<int64_t>(samples.size());
  std::vector<float> moved(size, 0);
  for (int64_t i = std::max<int64_t>(0, by); i < std::min(size, size + by); ++i) {
    moved[i] = samples[i - by];
  }
  return moved;
}

}  // namespace

std::vector<float> VarySpeed(const std::vector<float>& samples, SeededRandom& random) {
  const double speed = random.Uniform(0.9, 1.1);
  const auto size = static_cast<int64_t>(samples.size());
  std::vector<float> out(std::max<int64_t>(1, std::llround(static_cast<double>(size) / speed)));
  for (size_t i = 0; i < out.size(); ++i) {
    const double position = static_cast<double>(i) * speed;
    const int64_t left = std::min(static_cast<int64_t>(position), size - 1);
    const int64_t right = std::min(left + 1, size - 1);
    const auto weight = static_cast<float>(position - static_cast<double>(left));
    out[i] = samples[left] + std::min(weight, 1.0f) * (samples[right] - samples[left]);
  }
  return out;
}

void VaryWaveform(SeededRandom& random, std::vector<float>* samples) {
  const auto size = static_cast<int64_t>(samples->size());
  *samples = Shifted(*samples, random.Integer(-size / 10, size / 10 + 1));
  const auto gain = static_cast<float>(std::pow(10, random.Uniform(-6, 6) / 20));
  float peak = 0;
  for (float& sample : *samples) {
    sample *= gain;
    peak = std::max(peak, std::abs(sample));
  }
  const bool noisy = random.Integer(0, 2) == 1;
  const auto level = static_cast<float>(peak * std::pow(10, -random.Uniform(15, 40) / 20) / 3);
  if (!noisy) return;
  for (float& sample : *samples) sample += level * static_cast<float>(random.Normal());
}

void VarySpectrogram(SeededRandom& random, int64_t frames, int64_t bins, float* values) {
  const auto slope = static_cast<float>(random.Uniform(-0.3, 0.3));
  const int64_t band = random.Integer(0, bins / 6 + 1), span = random.Integer(0, frames / 10 + 1);
  const int64_t band_begin = random.Integer(0, bins - band + 1);
  const int64_t span_begin = random.Integer(0, frames - span + 1);
  for (int64_t frame = 0; frame < frames; ++frame) {
    const bool masked_frame = frame >= span_begin && frame < span_begin + span;
    for (int64_t bin = 0; bin < bins; ++bin) {
      float& value = values[frame * bins + bin];
      value += slope * (2 * static_cast<float>(bin) / static_cast<float>(bins) - 1);
      if (masked_frame || (bin >= band_begin && bin < band_begin + band)) value = 0;
    }
  }
}

}  // namespace unival
