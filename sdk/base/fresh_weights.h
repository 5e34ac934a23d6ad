// unival: fresh_weights.h
//
// Turns off the random initialisation of weights while a model is built. Use it when all weights
// are loaded directly afterwards: the initialisation would take longer than loading.
//
//   const SkipFreshWeights skip_fresh_weights;  // until the end of the block, on this thread
//   auto backbone = Backbone::Create(config, vocabulary_size);
//   ... every tensor is loaded ...
//
// A module asks: `at::Tensor w = at::empty(shape); if (NeedsFreshWeights()) w.normal_();`. A weight
// that is skipped holds undefined values until it is loaded. Constants (ones, zeros) are always
// set.
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
