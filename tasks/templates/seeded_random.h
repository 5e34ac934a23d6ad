// unival: seeded_random.h - a small generator (splitmix64) whose draws depend on its seed alone, on
// every machine.
#ifndef UNIVAL_TASKS_TEMPLATES_SEEDED_RANDOM_H_
#define UNIVAL_TASKS_TEMPLATES_SEEDED_RANDOM_H_

#include <cstdint>

namespace unival {

// Single-threaded.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // In [0, n), n > 0. The bias is below n / 2^64.
  uint64_t Below(uint64_t n) { return Next() % n; }

 private:
  uint64_t state_;
};

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_SEEDED_RANDOM_H_
