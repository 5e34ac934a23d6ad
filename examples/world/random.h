// unival: random.h
//
// The world's random choices, on the generator of sdk/base/random.h: the same seed gives the same
// world on every machine and compiler.
//
//   Random random(SampleSeed(options.seed, "image", Split::kTrain, /*index=*/7));
//   double radius = random.Uniform(6.0, 8.0);
//
// Thread-compatible: one generator per thread.
#ifndef UNIVAL_EXAMPLES_WORLD_RANDOM_H_
#define UNIVAL_EXAMPLES_WORLD_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sdk/base/random.h"

namespace unival::world {

// The parts of a generated world. No seed belongs to two of them.
enum class Split { kTrain = 0, kEval = 1, kHeldOut = 2 };

// "train", "eval", "eval_held_out": the folder of the split.
const char* SplitName(Split split);

class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}

  uint64_t Next() { return bits_.Next(); }
  // Integer in [0, n); n > 0.
  int Below(int n);
  // Integer in [low, high].
  int Between(int low, int high) { return low + Below(high - low + 1); }
  // Real number in [low, high).
  double Uniform(double low, double high) { return bits_.Uniform(low, high); }
  bool Chance(double probability) { return Uniform(0, 1) < probability; }

  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(Below(static_cast<int>(from.size())))];
  }

  // Index drawn with the given relative weights.
  int PickWeighted(const std::vector<double>& weights);

  template <typename T>
  void Shuffle(std::vector<T>* items) {
    for (int i = static_cast<int>(items->size()) - 1; i > 0; --i) {
      std::swap((*items)[i], (*items)[Below(i + 1)]);
    }
  }

 private:
  SeededRandom bits_;
};

// Seed of sample `index` of one kind and split. For one `seed` and `kind`, different (split, index)
// give different seeds: the map is a bijection.
uint64_t SampleSeed(uint64_t seed, absl::string_view kind, Split split, int64_t index);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_RANDOM_H_
