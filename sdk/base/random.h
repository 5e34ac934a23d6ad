// unival: random.h - random numbers that depend on the seed alone. They are the same on every
// machine and compiler; the distributions of the standard library do not promise that.
//
//   SeededRandom random(Mix(plan_seed, step, row));  // a generator for this row alone
//   double radius = random.Uniform(6.0, 8.0);
//
// The generator is SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
// Generators", OOPSLA 2014, with the finaliser's constants of Vigna's splitmix64.c.
#ifndef UNIVAL_SDK_BASE_RANDOM_H_
#define UNIVAL_SDK_BASE_RANDOM_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace unival {

// The step between two states of SplitMix64: 2^64 divided by the golden ratio, made odd.
constexpr uint64_t kSplitMix64Step = 0x9E3779B97F4A7C15u;

// The finaliser of SplitMix64: a bijection of 64-bit numbers that maps close inputs far apart. 0
// stays 0.
constexpr uint64_t SplitMix64Finalizer(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// A hash of one number, or of several numbers in their order. Close inputs give unrelated outputs.
constexpr uint64_t Mix(uint64_t seed) { return SplitMix64Finalizer(seed + kSplitMix64Step); }

template <typename... More>
constexpr uint64_t Mix(uint64_t seed, uint64_t next, More... more) {
  return Mix(Mix(seed) ^ next, static_cast<uint64_t>(more)...);
}

// The FNV-1a hash of a text, to make a seed from a name.
inline uint64_t Fnv1a(absl::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  return hash;
}

// The upper 53 bits of `bits` as a number in [0, 1).
constexpr double UnitInterval(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

// Not thread-safe: one thread at a time.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return SplitMix64Finalizer(state_ += kSplitMix64Step); }

  // In [0, n), n > 0. The bias is below n / 2^64.
  uint64_t Below(uint64_t n) { return Next() % n; }

  // In [low, high); `low` when that range is empty.
  int64_t Integer(int64_t low, int64_t high) {
    if (high <= low) return low;
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low)));
  }

  // In [low, high).
  double Uniform(double low, double high) { return low + (high - low) * UnitInterval(Next()); }

  // Approximately standard normal: a scaled sum of four uniform numbers. In [-3.47, 3.47].
  double Normal() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += Uniform(-1, 1);
    return sum * 0.86602540378443865;  // sqrt(3/4): the sum has variance 4 * 1/3
  }

 private:
  uint64_t state_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_RANDOM_H_
