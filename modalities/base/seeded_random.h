// unival: modalities/base/seeded_random.h - small reproducible random numbers for augmentation
// (splitmix64).
#ifndef UNIVAL_MODALITIES_BASE_SEEDED_RANDOM_H_
#define UNIVAL_MODALITIES_BASE_SEEDED_RANDOM_H_

#include <cmath>
#include <cstdint>

namespace unival {

// The same numbers on every machine, unlike the standard library's distributions. One thread at a
// time.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // In [low, high).
  double Uniform(double low, double high) {
    return low + (high - low) * std::ldexp(static_cast<double>(Next() >> 11), -53);
  }

  // In [low, high); `low` when that is empty.
  int64_t Integer(int64_t low, int64_t high) {
    if (high <= low) return low;
    return low + static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low));
  }

  // Close to a standard normal variable, by a sum of uniform ones.
  double Normal() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += Uniform(-1, 1);
    return sum * 0.86602540378443865;
  }

 private:
  uint64_t state_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_BASE_SEEDED_RANDOM_H_
