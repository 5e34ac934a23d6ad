#include "examples/world/random.h"

namespace unival::world {

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

int Random::Below(int n) {
  return static_cast<int>(((Next() >> 32) * static_cast<uint64_t>(n)) >> 32);
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
  // Three splits interleave in the low digits, so no (split, index) repeats; the
  // finaliser keeps that and scatters.
  const uint64_t place = static_cast<uint64_t>(index) * 3 + static_cast<uint64_t>(split);
  return SplitMix64Finalizer(SplitMix64Finalizer(seed ^ Fnv1a(kind)) + place);
}

}  // namespace unival::world
