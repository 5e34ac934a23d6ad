#include "examples/world/sound.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "sdk/base/english.h"

namespace unival::world {
namespace {

constexpr double kTwoPi = 6.28318530717958647692;
constexpr int kLength = kSoundRateHz;  // one second

// A stretch of samples that is heard: [begin, end).
struct Stretch {
  int begin, end;
};

// Short ramps at both ends keep clicks out.
double Envelope(const Stretch& stretch, int i) {
  constexpr double kRamp = 0.01 * kSoundRateHz;
  return std::min({1.0, (i - stretch.begin) / kRamp, (stretch.end - 1 - i) / kRamp});
}

double Pitch(bool high, Random* random) {
  return high ? random->Uniform(1500, 2200) : random->Uniform(300, 520);
}

void AddTone(const Stretch& stretch, double from_hz, double to_hz, double gain,
             std::vector<float>* samples) {
  double phase = 0;
  for (int i = stretch.begin; i < stretch.end; ++i) {
    const double t = static_cast<double>(i - stretch.begin) / (stretch.end - stretch.begin);
    phase += kTwoPi * (from_hz + (to_hz - from_hz) * t) / kSoundRateHz;
    const double wave = std::sin(phase) + 0.2 * std::sin(2 * phase);
    (*samples)[i] += static_cast<float>(gain * Envelope(stretch, i) * wave);
  }
}

void AddNoise(const Stretch& stretch, double gain, Random* random, std::vector<float>* samples) {
  for (int i = stretch.begin; i < stretch.end; ++i) {
    (*samples)[i] += static_cast<float>(gain * Envelope(stretch, i) * random->Uniform(-1, 1));
  }
}

// `count` stretches of equal length with equal pauses.
std::vector<Stretch> Repeats(int count, Random* random) {
  const double length = random->Uniform(0.09, 0.13), pause = random->Uniform(0.07, 0.1);
  const double total = count * length + (count - 1) * pause;
  double at = random->Uniform(0.02, 0.97 - total);
  std::vector<Stretch> stretches;
  for (int i = 0; i < count; ++i, at += length + pause) {
    stretches.push_back(
        {static_cast<int>(at * kSoundRateHz), static_cast<int>((at + length) * kSoundRateHz)});
  }
  return stretches;
}

bool HasPitch(SoundKind kind) {
  return kind == SoundKind::kBeeps || kind == SoundKind::kSteady || kind == SoundKind::kChord;
}

bool IsCounted(SoundKind kind) { return kind == SoundKind::kBeeps || kind == SoundKind::kNoise; }

// The caption's words without count: "high beep".
std::string Thing(const Sound& sound) {
  const char* pitch = sound.high ? "high " : "low ";
  switch (sound.kind) {
    case SoundKind::kBeeps:
      return absl::StrCat(pitch, "beep");
    case SoundKind::kNoise:
      return "noise burst";
    case SoundKind::kRising:
      return "rising tone";
    case SoundKind::kFalling:
      return "falling tone";
    case SoundKind::kSteady:
      return absl::StrCat("steady ", pitch, "tone");
    case SoundKind::kChord:
      return absl::StrCat(pitch, "chord");
  }
  return "";
}

std::string Noun(SoundKind kind) {
  switch (kind) {
    case SoundKind::kBeeps:
      return "beep";
    case SoundKind::kNoise:
      return "noise burst";
    case SoundKind::kChord:
      return "chord";
    default:
      return "tone";
  }
}

}  // namespace

Sound SampleSound(Random* random) {
  Sound sound;
  sound.kind = static_cast<SoundKind>(random->PickWeighted({8, 4, 2, 2, 4, 2}));
  sound.count = IsCounted(sound.kind) ? random->Between(1, 4) : 1;
  sound.high = HasPitch(sound.kind) && random->Chance(0.5);
  return sound;
}

std::string SoundCaption(const Sound& sound) {
  if (sound.count == 1) return WithArticle(Thing(sound));
  return absl::StrCat(NumberWord(sound.count), " ", Thing(sound), "s");
}

std::vector<Question> AskAboutSound(const Sound& sound, int most, Random* random) {
  std::vector<Question> questions;
  const std::string noun = Noun(sound.kind);
  if (IsCounted(sound.kind)) {
    questions.push_back(
        {absl::StrCat("how many ", noun, "s are there?"), NumberWord(sound.count), "count"});
  }
  if (HasPitch(sound.kind)) {
    const std::string are =
        sound.count == 1 ? absl::StrCat("is the ", noun) : absl::StrCat("are the ", noun, "s");
    questions.push_back({absl::StrCat(are, " high or low?"), sound.high ? "high" : "low", "pitch"});
  }
  questions.push_back({"what sound is it?", noun, "sound"});
  const bool yes = random->Chance(0.5);
  Sound other = sound;
  while (!yes && Noun(other.kind) == noun) other = SampleSound(random);
  questions.push_back(
      {absl::StrCat("is there ", WithArticle(Noun(other.kind)), "?"), yes ? "yes" : "no", "yesno"});
  random->Shuffle(&questions);
  if (static_cast<int>(questions.size()) > most) questions.resize(most);
  return questions;
}

std::vector<float> RenderSound(const Sound& sound, Random* random) {
  std::vector<float> samples(kLength, 0.0f);
  const double gain = random->Uniform(0.25, 0.6);
  const double pitch = Pitch(sound.high, random);
  const Stretch whole{static_cast<int>(random->Uniform(0.02, 0.2) * kLength),
                      static_cast<int>(random->Uniform(0.75, 0.98) * kLength)};
  const double low = random->Uniform(300, 500), high = random->Uniform(1500, 2200);
  switch (sound.kind) {
    case SoundKind::kBeeps:
      for (const Stretch& s : Repeats(sound.count, random))
        AddTone(s, pitch, pitch, gain, &samples);
      break;
    case SoundKind::kNoise:
      for (const Stretch& s : Repeats(sound.count, random)) AddNoise(s, gain, random, &samples);
      break;
    case SoundKind::kRising:
      AddTone(whole, low, high, gain, &samples);
      break;
    case SoundKind::kFalling:
      AddTone(whole, high, low, gain, &samples);
      break;
    case SoundKind::kSteady:
      AddTone(whole, pitch, pitch, gain, &samples);
      break;
    case SoundKind::kChord:
      for (double ratio : {1.0, 1.26, 1.5})
        AddTone(whole, pitch * ratio, pitch * ratio, gain / 2.5, &samples);
      break;
  }
  const double hiss = random->Uniform(0.001, 0.006);
  for (float& sample : samples) {
    sample = std::clamp(sample + static_cast<float>(random->Uniform(-hiss, hiss)), -1.0f, 1.0f);
  }
  return samples;
}

}  // namespace unival::world
