#include "modalities/audio/log_mel.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sdk/base/status.h"

namespace unival {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Slaney's mel scale: linear below 1 kHz, logarithmic above.
constexpr double kHzPerMel = 200.0 / 3;
constexpr double kLogStartHz = 1000;
constexpr double kLogStartMel = kLogStartHz / kHzPerMel;

double LogStep() { return std::log(6.4) / 27; }

double HzToMel(double hz) {
  if (hz < kLogStartHz) return hz / kHzPerMel;
  return kLogStartMel + std::log(hz / kLogStartHz) / LogStep();
}

double MelToHz(double mel) {
  if (mel < kLogStartMel) return mel * kHzPerMel;
  return kLogStartHz * std::exp(LogStep() * (mel - kLogStartMel));
}

absl::Status Check(const LogMel& config, int rate) {
  const int window = config.window();
  if (window < 16 || window > 65536 || (window & (window - 1)) != 0) {
    return FieldError("audio.log_mel.window", "a power of two from 16 to 65536", window);
  }
  if (config.hop() <= 0 || config.hop() > window) {
    return FieldError("audio.log_mel.hop", "1 to window", config.hop());
  }
  if (config.mel_bins() <= 0 || config.mel_bins() > 1024) {
    return FieldError("audio.log_mel.mel_bins", "1 to 1024", config.mel_bins());
  }
  if (config.min_hz() < 0 || !(config.min_hz() < config.max_hz())) {
    return FieldError("audio.log_mel.min_hz", "at least 0 and below max_hz", config.min_hz());
  }
  if (config.max_hz() > rate / 2.0) {
    return FieldError("audio.log_mel.max_hz", "at most half of audio.sample_rate_hz",
                      config.max_hz());
  }
  return absl::OkStatus();
}

// samples[i] with both edges reflected, the edge sample itself not repeated.
int64_t Reflect(int64_t i, int64_t size) {
  if (i < 0) i = -i;
  return i >= size ? 2 * (size - 1) - i : i;
}

}  // namespace

std::vector<float> HannWindow(int size) {
  std::vector<float> window(size);
  for (int i = 0; i < size; ++i) {
    window[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * kPi * i / size));
  }
  return window;
}

std::vector<float> MelFilters(const LogMel& config, int sample_rate_hz) {
  const int bins = config.mel_bins(), rows = config.window() / 2 + 1;
  const double low = HzToMel(config.min_hz()), high = HzToMel(config.max_hz());
  std::vector<double> edges(bins + 2);
  for (int i = 0; i < bins + 2; ++i) edges[i] = MelToHz(low + (high - low) * i / (bins + 1));
  std::vector<float> filters(static_cast<size_t>(rows) * bins);
  for (int bin = 0; bin < bins; ++bin) {
    const double left = edges[bin], centre = edges[bin + 1], right = edges[bin + 2];
    for (int row = 0; row < rows; ++row) {
      const double hz = static_cast<double>(row) * sample_rate_hz / config.window();
      const double height =
          std::min((hz - left) / (centre - left), (right - hz) / (right - centre));
      filters[static_cast<size_t>(row) * bins + bin] =
          static_cast<float>(std::max(0.0, height) * 2 / (right - left));
    }
  }
  return filters;
}

absl::StatusOr<std::shared_ptr<const LogMelSpectrogram>> LogMelSpectrogram::Create(
    const LogMel& config, int sample_rate_hz) {
  if (absl::Status status = Check(config, sample_rate_hz); !status.ok()) return status;
  auto result = std::shared_ptr<LogMelSpectrogram>(new LogMelSpectrogram);
  const int window = config.window(), rows = window / 2 + 1;
  result->window_ = window;
  result->hop_ = config.hop();
  result->bins_ = config.mel_bins();
  result->hann_ = HannWindow(window);
  for (int i = 0; i < window / 2; ++i) {
    result->cosines_.push_back(std::cos(2 * kPi * i / window));
    result->sines_.push_back(-std::sin(2 * kPi * i / window));
  }
  result->reversed_.resize(window);
  for (int i = 1; i < window; ++i) {
    result->reversed_[i] = result->reversed_[i / 2] / 2 + (i % 2 != 0 ? window / 2 : 0);
  }
  const std::vector<float> matrix = MelFilters(config, sample_rate_hz);
  for (int bin = 0; bin < result->bins_; ++bin) {
    Filter filter;
    for (int row = 0; row < rows; ++row) {
      const float weight = matrix[static_cast<size_t>(row) * result->bins_ + bin];
      if (weight == 0 && filter.weights.empty()) continue;
      if (weight == 0) break;
      if (filter.weights.empty()) filter.begin = row;
      filter.weights.push_back(weight);
    }
    result->filters_.push_back(std::move(filter));
  }
  return std::shared_ptr<const LogMelSpectrogram>(std::move(result));
}

// In-place radix-2 transform of bit-reversed input.
void LogMelSpectrogram::Transform(double* real, double* imaginary) const {
  for (int half = 1; half < window_; half *= 2) {
    const int step = window_ / (2 * half);
    for (int start = 0; start < window_; start += 2 * half) {
      for (int k = 0; k < half; ++k) {
        const double c = cosines_[k * step], s = sines_[k * step];
        const int a = start + k, b = a + half;
        const double re = real[b] * c - imaginary[b] * s;
        const double im = real[b] * s + imaginary[b] * c;
        real[b] = real[a] - re;
        imaginary[b] = imaginary[a] - im;
        real[a] += re;
        imaginary[a] += im;
      }
    }
  }
}

void LogMelSpectrogram::PowerOfFrames(const float* first, const float* second,
                                      std::vector<double>* scratch, float* first_power,
                                      float* second_power) const {
  scratch->resize(2 * window_);
  double* real = scratch->data();
  double* imaginary = real + window_;
  for (int i = 0; i < window_; ++i) {
    const int source = reversed_[i];
    real[i] = static_cast<double>(first[source]) * hann_[source];
    imaginary[i] = second == nullptr ? 0 : static_cast<double>(second[source]) * hann_[source];
  }
  Transform(real, imaginary);
  // Two real signals share one complex transform: the even part of its result belongs to the first,
  // the odd part to the second.
  for (int k = 0; k <= window_ / 2; ++k) {
    const int mirror = k == 0 ? 0 : window_ - k;
    const double sum_re = real[k] + real[mirror], sum_im = imaginary[k] + imaginary[mirror];
    const double gap_re = real[k] - real[mirror], gap_im = imaginary[k] - imaginary[mirror];
    first_power[k] = static_cast<float>((sum_re * sum_re + gap_im * gap_im) / 4);
    second_power[k] = static_cast<float>((sum_im * sum_im + gap_re * gap_re) / 4);
  }
}

// Calls sink(frame, power) in order of frames.
template <typename Sink>
void LogMelSpectrogram::ForEachFrame(absl::Span<const float> samples, Sink sink) const {
  const auto size = static_cast<int64_t>(samples.size());
  const int64_t half = window_ / 2, count = frames(size);
  std::vector<float> padded(size + window_);
  for (int64_t i = 0; i < static_cast<int64_t>(padded.size()); ++i) {
    padded[i] = samples[Reflect(i - half, size)];
  }
  std::vector<double> scratch;
  std::vector<float> first(half + 1), second(half + 1);
  for (int64_t frame = 0; frame < count; frame += 2) {
    const float* begin = padded.data() + frame * hop_;
    const bool pair = frame + 1 < count;
    PowerOfFrames(begin, pair ? begin + hop_ : nullptr, &scratch, first.data(), second.data());
    sink(frame, first);
    if (pair) sink(frame + 1, second);
  }
}

void LogMelSpectrogram::Compute(absl::Span<const float> samples, float* out) const {
  ForEachFrame(samples, [this, out](int64_t frame, const std::vector<float>& power) {
    for (int bin = 0; bin < bins_; ++bin) {
      const Filter& filter = filters_[bin];
      float energy = 0;
      for (size_t i = 0; i < filter.weights.size(); ++i) {
        energy += filter.weights[i] * power[filter.begin + i];
      }
      out[frame * bins_ + bin] = 10 * std::log10(std::max(energy, 1e-10f));
    }
  });
}

std::vector<float> LogMelSpectrogram::PowerSpectrum(absl::Span<const float> samples) const {
  std::vector<float> spectrum;
  ForEachFrame(samples, [&spectrum](int64_t, const std::vector<float>& power) {
    spectrum.insert(spectrum.end(), power.begin(), power.end());
  });
  return spectrum;
}

}  // namespace unival
