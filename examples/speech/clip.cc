#include "examples/speech/clip.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace unival::speech {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Low-pass at `cutoff` cycles per input sample under a Hann window that ends `reach` samples away.
double Tap(double distance, double cutoff, double reach) {
  if (std::abs(distance) >= reach) return 0;
  const double x = 2 * kPi * cutoff * distance;
  const double sinc = x == 0 ? 1 : std::sin(x) / x;
  return 2 * cutoff * sinc * 0.5 * (1 + std::cos(kPi * distance / reach));
}

float Peak(const std::vector<float>& samples) {
  float peak = 0;
  for (float sample : samples) peak = std::max(peak, std::abs(sample));
  return peak;
}

}  // namespace

Resampler::Resampler(int from_hz, int to_hz) {
  const int divisor = std::gcd(from_hz, to_hz);
  up_ = to_hz / divisor;
  down_ = from_hz / divisor;
  // A little below the lower of the two Nyquist frequencies; sixteen zero crossings on each side.
  const double cutoff = 0.5 * std::min(1.0, static_cast<double>(to_hz) / from_hz) * 0.94;
  reach_ = static_cast<int>(std::ceil(16 / (2 * cutoff)));
  for (int phase = 0; phase < up_; ++phase) {
    const double fraction = static_cast<double>(static_cast<int64_t>(phase) * down_ % up_) / up_;
    std::vector<float>& taps = phases_.emplace_back();
    for (int k = -reach_; k <= reach_; ++k) {
      taps.push_back(static_cast<float>(Tap(fraction - k, cutoff, reach_)));
    }
  }
}

std::vector<float> Resampler::Resample(const std::vector<float>& samples) const {
  const int64_t count = static_cast<int64_t>(samples.size());
  std::vector<float> out(static_cast<size_t>((count * up_ + down_ - 1) / down_));
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t middle = static_cast<int64_t>(i) * down_ / up_;
    const std::vector<float>& taps = phases_[i % static_cast<size_t>(up_)];
    const int64_t first = std::max<int64_t>(0, middle - reach_);
    const int64_t last = std::min<int64_t>(count - 1, middle + reach_);
    double sum = 0;
    for (int64_t n = first; n <= last; ++n) sum += samples[n] * taps[n - middle + reach_];
    out[i] = static_cast<float>(sum);
  }
  return out;
}

std::vector<float> TrimSilence(const std::vector<float>& samples) {
  const float quiet = 0.02f * Peak(samples);
  const auto loud = [quiet](float sample) { return std::abs(sample) > quiet; };
  const auto begin = std::find_if(samples.begin(), samples.end(), loud);
  const auto end = std::find_if(samples.rbegin(), samples.rend(), loud).base();
  return begin < end ? std::vector<float>(begin, end) : std::vector<float>();
}

std::vector<float> MakeClip(const std::vector<float>& spoken, const ClipOptions& options,
                            world::Random* random) {
  constexpr int kFade = 80;  // samples
  std::vector<float> word = TrimSilence(spoken);
  if (static_cast<int>(word.size()) > options.length) {
    word.resize(options.length);
    for (int i = 0; i < kFade; ++i) word[word.size() - 1 - i] *= static_cast<float>(i) / kFade;
  }
  const double room = options.length - static_cast<double>(word.size());
  const int start = static_cast<int>(random->Uniform(0, std::min(options.max_lead, room)));
  const double gain =
      random->Uniform(options.min_peak, options.max_peak) / std::max(Peak(word), 1e-6f);
  const double noise = random->Chance(1.0 / 3) ? 0 : random->Uniform(0, options.max_noise);
  std::vector<float> clip(options.length, 0.0f);
  for (size_t i = 0; i < word.size(); ++i) clip[start + i] = static_cast<float>(gain * word[i]);
  for (float& sample : clip) {
    sample = std::clamp(sample + static_cast<float>(random->Uniform(-noise, noise)), -1.0f, 1.0f);
  }
  return clip;
}

}  // namespace unival::speech
