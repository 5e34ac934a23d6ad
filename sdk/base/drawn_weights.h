// unival: drawn_weights.h
//
// Whether the parts of a model that are being made draw their first weights. Where the weights are
// loaded at once, drawing them would take longer than loading.
//
//   const LoadedWeights none_are_drawn;      // until the end of the block, on this thread
//   auto backbone = Backbone::Create(config, vocabulary_size);
//   ... every tensor is loaded ...
//
// A part asks: `at::Tensor w = at::empty(shape); if (DrawsWeights()) w.normal_();`. A weight that
// is not drawn holds any numbers until it is loaded. Constants (ones, zeros) are set all the same.
#ifndef UNIVAL_SDK_BASE_DRAWN_WEIGHTS_H_
#define UNIVAL_SDK_BASE_DRAWN_WEIGHTS_H_

namespace unival {

class LoadedWeights {
 public:
  LoadedWeights() : before_(in_force()) { in_force() = true; }
  ~LoadedWeights() { in_force() = before_; }
  LoadedWeights(const LoadedWeights&) = delete;
  LoadedWeights& operator=(const LoadedWeights&) = delete;

 private:
  friend bool DrawsWeights();
  static bool& in_force() {
    thread_local bool value = false;
    return value;
  }

  const bool before_;
};

inline bool DrawsWeights() { return !LoadedWeights::in_force(); }

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_DRAWN_WEIGHTS_H_
