// unival: modalities/audio/log_mel.h
//
// Log-mel spectrograms as the reference's audio tower computes them: centred frames with reflected
// edges, periodic Hann window, power spectrum, Slaney mel filters with area normalisation, 10 *
// log10(max(x, 1e-10)).
//
//   auto log_mel = LogMelSpectrogram::Create(config.log_mel(), 48000);
//   std::vector<float> decibels((*log_mel)->frames(samples.size()) * 64);
//   (*log_mel)->Compute(samples, decibels.data());      // [frames, mel_bins], row by row
//
// Thread-safe: immutable after creation.
#ifndef UNIVAL_MODALITIES_AUDIO_LOG_MEL_H_
#define UNIVAL_MODALITIES_AUDIO_LOG_MEL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// The periodic Hann window: 0.5 - 0.5 * cos(2 pi i / size).
std::vector<float> HannWindow(int size);

// [window / 2 + 1, mel_bins] row by row: what a power spectrum is multiplied with.
std::vector<float> MelFilters(const LogMel& config, int sample_rate_hz);

class LogMelSpectrogram {
 public:
  // InvalidArgument names the field: window a power of two, 0 <= min_hz < max_hz <= half the rate,
  // hop and bins positive.
  static absl::StatusOr<std::shared_ptr<const LogMelSpectrogram>> Create(const LogMel& config,
                                                                         int sample_rate_hz);

  int64_t frames(int64_t samples) const { return samples / hop_ + 1; }
  int64_t bins() const { return bins_; }

  // `samples` must be longer than half a window. Writes [frames, bins] decibels.
  void Compute(absl::Span<const float> samples, float* out) const;

  // [frames, window / 2 + 1] power spectrum.
  std::vector<float> PowerSpectrum(absl::Span<const float> samples) const;

 private:
  // The non-zero part of one mel filter.
  struct Filter {
    int begin = 0;
    std::vector<float> weights;
  };

  LogMelSpectrogram() = default;
  // Power spectra of two frames with one complex transform; `second` may be null.
  void PowerOfFrames(const float* first, const float* second, std::vector<double>* scratch,
                     float* first_power, float* second_power) const;
  void Transform(double* real, double* imaginary) const;
  template <typename Sink>
  void ForEachFrame(absl::Span<const float> samples, Sink sink) const;

  int window_ = 0, hop_ = 0, bins_ = 0;
  std::vector<float> hann_;
  std::vector<double> cosines_, sines_;  // of the transform, window / 2 each
  std::vector<int> reversed_;            // bit-reversed indices
  std::vector<Filter> filters_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_AUDIO_LOG_MEL_H_
