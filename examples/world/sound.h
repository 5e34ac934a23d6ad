// unival: sound.h
//
// One-second sounds with captions: counted beeps and noise bursts, tones that rise, fall or stay,
// chords.
//
//   Random random(7);
//   Sound sound = SampleSound(&random);
//   SoundCaption(sound);                                 // "two high beeps"
//   std::vector<float> samples = RenderSound(sound, &random);    // kSoundRateHz samples in [-1, 1]
#ifndef UNIVAL_EXAMPLES_WORLD_SOUND_H_
#define UNIVAL_EXAMPLES_WORLD_SOUND_H_

#include <string>
#include <vector>

#include "examples/world/questions.h"
#include "examples/world/random.h"

namespace unival::world {

inline constexpr int kSoundRateHz = 8000;

enum class SoundKind { kBeeps, kNoise, kRising, kFalling, kSteady, kChord };

struct Sound {
  SoundKind kind = SoundKind::kBeeps;
  int count = 1;      // beeps and noise bursts: 1 to 4; else 1
  bool high = false;  // beeps, steady tones and chords
};

Sound SampleSound(Random* random);

// "a rising tone", "three noise bursts", "a low chord".
std::string SoundCaption(const Sound& sound);
// Kinds "count", "pitch", "sound", "yesno"; each at most once.
std::vector<Question> AskAboutSound(const Sound& sound, int most, Random* random);

std::vector<float> RenderSound(const Sound& sound, Random* random);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_SOUND_H_
