// unival: modalities/audio/spec_augment.h
//
// SpecAugment (Park et al., 2019, arXiv 1904.08779) on a log-mel spectrogram: the clip is warped in
// time, then bands of frequencies and spans of time are masked with its mean.
//
//   const SpecAugment spec_augment = SpecAugment::Read(&options);
//   spec_augment.Apply(random, frames, bins, values);       // [frames, bins] row by row
#ifndef UNIVAL_MODALITIES_AUDIO_SPEC_AUGMENT_H_
#define UNIVAL_MODALITIES_AUDIO_SPEC_AUGMENT_H_

#include <cstdint>

#include "modalities/base/options.h"
#include "sdk/base/random.h"

namespace unival {

// The value of the option "augment" that asks for it.
constexpr char kSpecAugment[] = "spec_augment";

// The paper's parameters.
struct SpecAugmentPolicy {
  int64_t time_warp = 0;        // W: frames by which a point is moved at most; 0: none
  int64_t frequency_masks = 0;  // m_F
  int64_t frequency_width = 0;  // F: bins of a mask at most
  int64_t time_masks = 0;       // m_T
  int64_t time_width = 0;       // T: frames of a mask at most
  int64_t time_percent = 100;   // p: frames of a mask at most, of all frames
};

// Immutable.
class SpecAugment {
 public:
  // By the option spec_augment_policy: reference (2 masks of up to 64 frames and 2 of up to 8 bins,
  // as its audio encoder has them while it trains; the default) | LB, LD, SM, SS of the paper's
  // table 1; and by spec_augment_ with time_warp, frequency_masks, frequency_width, time_masks,
  // time_width, time_percent for single numbers of it. What does not fit is an error of `options`.
  static SpecAugment Read(OptionReader* options);

  explicit SpecAugment(const SpecAugmentPolicy& policy) : policy_(policy) {}

  const SpecAugmentPolicy& policy() const { return policy_; }

  // Changes `values` [frames, bins]. The width of a mask is drawn evenly from 0 to its largest one,
  // its place from all that there are. Clips of 2 W frames or fewer are not warped.
  void Apply(SeededRandom& random, int64_t frames, int64_t bins, float* values) const;

 private:
  SpecAugmentPolicy policy_;
};

// Moves what is at frame `from` to frame `to`, 0 < from, to < frames - 1, and stretches what lies
// before and behind it, linearly between frames. The first and the last frame stay.
void WarpTime(int64_t from, int64_t to, int64_t frames, int64_t bins, float* values);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_AUDIO_SPEC_AUGMENT_H_
