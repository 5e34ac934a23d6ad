// unival: modalities/audio/augmentation.h - varied copies of speech and sounds that keep their
// meaning.
#ifndef UNIVAL_MODALITIES_AUDIO_AUGMENTATION_H_
#define UNIVAL_MODALITIES_AUDIO_AUGMENTATION_H_

#include <cstdint>
#include <vector>

#include "sdk/base/random.h"

namespace unival {

// Speed and pitch by up to a tenth, by linear interpolation.
std::vector<float> VarySpeed(const std::vector<float>& samples, SeededRandom& random);

// Moves the clip by up to a tenth of its length, fills with zeros; changes the level by up to 6 dB;
// adds white noise 15 to 40 dB below the loudest part, half of the time.
void VaryWaveform(SeededRandom& random, std::vector<float>* samples);

// On a normalised spectrogram [frames, bins]: a slope over frequency, one masked band of up to a
// sixth of the bins and one masked span of up to a tenth of the frames, both set to 0.
void VarySpectrogram(SeededRandom& random, int64_t frames, int64_t bins, float* values);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_AUDIO_AUGMENTATION_H_
