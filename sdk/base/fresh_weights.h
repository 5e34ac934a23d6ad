// unival: fresh_weights.h
//
// Whether the parts of a model that are being made fill their weights with fresh (random) numbers.
// Where the weights are loaded at once, that would take longer than loading.
//
//   const SkipFreshWeights skip_fresh_weights;  // until the end of the block, on this thread
//   auto backbone = Backbone::Create(config, vocabulary_size);
//   ... every tensor is loaded ...
//
// A part asks: `at::Tensor w = at::empty(shape); if (NeedsFreshWeights()) w.normal_();`. A weight
// that is skipped holds any numbers until it is loaded. Constants (ones, zeros) are set all the
// same.
#ifndef UNIVAL_SDK_BASE_FRESH_WEIGHTS_H_
#define UNIVAL_SDK_BASE_FRESH_WEIGHTS_H_

namespace unival {

class SkipFreshWeights {
 public:
  SkipFreshWeights() : before_(in_force()) { in_force() = true; }
  ~SkipFreshWeights() { in_force() = before_; }
  SkipFreshWeights(const SkipFreshWeights&) = delete;
  SkipFreshWeights& operator=(const SkipFreshWeights&) = delete;

 private:
  friend bool NeedsFreshWeights();
  static bool& in_force() {
    thread_local bool value = false;
    return value;
  }

  const bool before_;
};

inline bool NeedsFreshWeights() { return !SkipFreshWeights::in_force(); }

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FRESH_WEIGHTS_H_
