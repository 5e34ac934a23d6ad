// unival: modalities/audio/waveform.h
//
// Waveforms before the spectrogram: channels to mono, resampling, length. Plain float buffers, mono
// after the first step.
//
//   absl::StatusOr<std::shared_ptr<const Resampler>> resampler = Resampler::Create(16000, 48000);
//   std::vector<float> out = (*resampler)->Apply(samples);
#ifndef UNIVAL_MODALITIES_AUDIO_WAVEFORM_H_
#define UNIVAL_MODALITIES_AUDIO_WAVEFORM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace unival {

// Band-limited interpolation with a Hann-windowed sinc of 6 zero crossings, roll-off 0.99:
// torchaudio's default. Thread-safe: immutable after creation.
class Resampler {
 public:
  // InvalidArgument for rates outside 1 Hz .. 1 MHz.
  static absl::StatusOr<std::shared_ptr<const Resampler>> Create(int from_hz, int to_hz);

  // ceil(n * to / from) samples.
  std::vector<float> Apply(absl::Span<const float> samples) const;

 private:
  // Output i * to + phase is the dot product of `taps` with the input from i * from + offset on.
  struct Phase {
    int64_t offset = 0;
    std::vector<float> taps;
  };
  Resampler() = default;
  int64_t from_ = 1, to_ = 1;  // divided by their common divisor
  std::vector<Phase> phases_;
};

// Mean over channels of [channels, n].
std::vector<float> MixToMono(absl::Span<const float> samples, int64_t channels);

// Converts to 16-bit integers (rounding towards zero) and back, as the reference does when it reads
// audio files.
void RoundTripInt16(std::vector<float>* samples);

// Both at once, [channels, n] -> n: the mean is rounded to float32 behind the 16 bits only, as the
// reference's float64 is. A stereo clip can differ by one step of 16 bits from the two in turn.
std::vector<float> MixToInt16(absl::Span<const float> samples, int64_t channels);

// What fills up a clip that is too short (the reference's "pad", "repeatpad", "repeat").
enum class Filling {
  kZeros,
  kWholeCopies,  // the clip again as often as it fits whole, then zeros
  kCopies,       // the clip again and again, the last copy cut
};

// `size` samples. A longer clip gives the window from `start` on, a shorter one is filled up.
// `samples` must not be empty.
std::vector<float> FitLength(std::vector<float> samples, int64_t size, int64_t start,
                             Filling filling);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_AUDIO_WAVEFORM_H_
