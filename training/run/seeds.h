// unival: seeds.h - every random draw of a run as a function of where it happens: Mix(plan seed,
// step, micro-batch, row).
#ifndef UNIVAL_TRAINING_RUN_SEEDS_H_
#define UNIVAL_TRAINING_RUN_SEEDS_H_

#include <cstdint>

namespace unival {

// The finaliser of SplitMix64: neighbouring inputs give unrelated outputs.
inline uint64_t Mix(uint64_t seed) {
  seed += 0x9E3779B97F4A7C15ull;
  seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9ull;
  seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBull;
  return seed ^ (seed >> 31);
}

template <typename... More>
uint64_t Mix(uint64_t seed, uint64_t next, More... more) {
  return Mix(Mix(seed) ^ next, static_cast<uint64_t>(more)...);
}

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_SEEDS_H_
