// unival: clip.h
//
// Turns a spoken word into a training clip: another sample rate, a fixed length, a random start,
// level and noise.
//
//   Resampler resampler(22050, 8000);
//   std::vector<float> clip = MakeClip(resampler.Resample(speech.samples), ClipOptions(), &random);
//
// Samples are mono in [-1, 1].
#ifndef UNIVAL_EXAMPLES_SPEECH_CLIP_H_
#define UNIVAL_EXAMPLES_SPEECH_CLIP_H_

#include <vector>

#include "examples/world/random.h"

namespace unival::speech {

// Band-limited resampling between whole-numbered rates. Thread-safe after construction.
class Resampler {
 public:
  // Both rates > 0, in Hz.
  Resampler(int from_hz, int to_hz);
  std::vector<float> Resample(const std::vector<float>& samples) const;

 private:
  int up_ = 1;                              // output phases
  int down_ = 1;                            // input steps for `up_` outputs
  int reach_ = 0;                           // taps on each side
  std::vector<std::vector<float>> phases_;  // [up_][2 * reach_ + 1]
};

// Without the quiet start and end.
std::vector<float> TrimSilence(const std::vector<float>& samples);

struct ClipOptions {
  int length = 8000;       // samples
  double max_lead = 1600;  // samples of silence before the word, at most
  double min_peak = 0.3, max_peak = 0.95;
  double max_noise = 0.006;  // largest amplitude of white noise; a third of the clips have none
};

// Exactly `length` samples. A longer word loses its end under a short fade.
std::vector<float> MakeClip(const std::vector<float>& word, const ClipOptions& options,
                            world::Random* random);

}  // namespace unival::speech

#endif  // UNIVAL_EXAMPLES_SPEECH_CLIP_H_
