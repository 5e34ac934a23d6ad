#include "modalities/audio/waveform.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kZeroCrossings = 6;
constexpr double kRollOff = 0.99;

// In float64, as the reference computes it: it cuts off, so that a sum rounded up to a whole number
// would come out one step higher.
float ThroughInt16(double sample) {
  const double scaled = std::clamp(sample, -1.0, 1.0) * 32767.0;
  return static_cast<float>(static_cast<int16_t>(scaled) / 32767.0);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Resampler>> Resampler::Create(int from_hz, int to_hz) {
  constexpr int kMaxHz = 1000000;
  if (from_hz < 1 || to_hz < 1 || from_hz > kMaxHz || to_hz > kMaxHz) {
    return absl::InvalidArgumentError(absl::StrCat("resampling from ", from_hz, " Hz to ", to_hz,
                                                   " Hz: rates must be 1 to ", kMaxHz));
  }
  auto result = std::shared_ptr<Resampler>(new Resampler);
  const int64_t divisor = std::gcd(from_hz, to_hz);
  const int64_t from = result->from_ = from_hz / divisor;
  const int64_t to = result->to_ = to_hz / divisor;
  const double cutoff = static_cast<double>(std::min(from, to)) * kRollOff;
  const auto width =
      static_cast<int64_t>(std::ceil(static_cast<double>(kZeroCrossings * from) / cutoff));
  for (int64_t phase = 0; phase < to; ++phase) {
    Phase entry;
    // Taps beyond the last zero crossing are zero: only those around the phase are stored.
    const double centre = static_cast<double>(phase * from) / static_cast<double>(to);
    entry.offset = std::max(-width, static_cast<int64_t>(std::floor(centre)) - width);
    const int64_t end = std::min(width + from, static_cast<int64_t>(std::ceil(centre)) + width + 1);
    for (int64_t k = entry.offset; k < end; ++k) {
      double t = (static_cast<double>(k) / static_cast<double>(from) -
                  static_cast<double>(phase) / static_cast<double>(to)) *
                 cutoff;
      t = std::clamp<double>(t, -kZeroCrossings, kZeroCrossings);
      const double window = std::pow(std::cos(t * kPi / kZeroCrossings / 2), 2);
      const double sinc = t == 0 ? 1 : std::sin(t * kPi) / (t * kPi);
      entry.taps.push_back(static_cast<float>(sinc * window * cutoff / static_cast<double>(from)));
    }
    result->phases_.push_back(std::move(entry));
  }
  return std::shared_ptr<const Resampler>(std::move(result));
}

std::vector<float> Resampler::Apply(absl::Span<const float> samples) const {
  const auto size = static_cast<int64_t>(samples.size());
  if (from_ == to_) return {samples.begin(), samples.end()};
  std::vector<float> out((size * to_ + from_ - 1) / from_);
  for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
    const Phase& phase = phases_[i % to_];
    const int64_t start = i / to_ * from_ + phase.offset;
    const int64_t begin = std::max<int64_t>(0, -start);
    const int64_t end = std::min<int64_t>(phase.taps.size(), size - start);
    float sum = 0;
    for (int64_t k = begin; k < end; ++k) sum += phase.taps[k] * samples[start + k];
    out[i] = sum;
  }
  return out;
}

std::vector<float> MixToMono(absl::Span<const float> samples, int64_t channels) {
  const size_t count = samples.size() / channels;
  std::vector<float> mono(samples.begin(), samples.begin() + count);
  if (channels == 1) return mono;
  for (int64_t channel = 1; channel < channels; ++channel) {
    for (size_t i = 0; i < count; ++i) mono[i] += samples[channel * count + i];
  }
  for (float& sample : mono) sample /= static_cast<float>(channels);
  return mono;
}

void RoundTripInt16(std::vector<float>* samples) {
  for (float& sample : *samples) sample = ThroughInt16(sample);
}

std::vector<float> MixToInt16(absl::Span<const float> samples, int64_t channels) {
  const size_t count = samples.size() / channels;
  std::vector<float> mono(count);
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t channel = 0; channel < channels; ++channel) sum += samples[channel * count + i];
    mono[i] = ThroughInt16(sum / static_cast<double>(channels));
  }
  return mono;
}

std::vector<float> FitLength(std::vector<float> samples, int64_t size, int64_t start,
                             Filling filling) {
  const auto count = static_cast<int64_t>(samples.size());
  if (count > size) {
    start = std::clamp<int64_t>(start, 0, count - size);
    return {samples.begin() + start, samples.begin() + start + size};
  }
  samples.resize(size, 0);
  const int64_t filled = filling == Filling::kZeros         ? count
                         : filling == Filling::kWholeCopies ? size / count * count
                                                            : size;
  for (int64_t i = count; i < filled; ++i) samples[i] = samples[i - count];
  return samples;
}

}  // namespace unival
