#include "examples/world/random.h"

namespace unival::world {
namespace {

// The finaliser of SplitMix64: a bijection of 64-bit numbers.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// FNV-1a.
uint64_t HashName(absl::string_view name) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

const char* SplitName(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kEval:
      return "eval";
    case Split::kHeldOut:
      return "eval_held_out";
  }
  return "train";
}

uint64_t Random::Next() { return Mix(state_ += 0x9e3779b97f4a7c15ULL); }

int Random::Below(int n) {
  return static_cast<int>(((Next() >> 32) * static_cast<uint64_t>(n)) >> 32);
}

double Random::Uniform(double low, double high) {
  return low + (high - low) * (static_cast<double>(Next() >> 11) * 0x1.0p-53);
}

int Random::PickWeighted(const std::vector<double>& weights) {
  double total = 0;
  for (double weight : weights) total += weight;
  double at = Uniform(0, total);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (at < weights[i]) return static_cast<int>(i);
    at -= weights[i];
  }
  return static_cast<int>(weights.size()) - 1;
}

uint64_t SampleSeed(uint64_t seed, absl::string_view kind, Split split, int64_t index) {
  // Three splits interleave in the low digits, so no (split, index) repeats; Mix keeps that and
  // scatters.
  const uint64_t place = static_cast<uint64_t>(index) * 3 + static_cast<uint64_t>(split);
  return Mix(Mix(seed ^ HashName(kind)) + place);
}

}  // namespace unival::world
