// unival: loop_limit.h - the loops of a TorchScript program end.
//
//   LimitLoops(module);                     // once, before the module is called
//   const LoopLimit limit(60);              // around a call, on the thread that makes it
//   const c10::IValue value = module.forward({input});
//
// A file may hold `while True`, and libtorch offers no way to stop a program that runs. Nothing but
// a loop runs for ever here, since functions that call themselves are refused; so every round of
// every loop looks at the time.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_LOOP_LIMIT_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_LOOP_LIMIT_H_

#include <chrono>

namespace torch {
namespace jit {
struct Module;
}  // namespace jit
}  // namespace torch

namespace unival {

// Puts an operator that looks at the time into every loop of every function and method.
void LimitLoops(const torch::jit::Module& module);

// While it lives, a round of a loop that begins on this thread more than `seconds` after its
// construction throws. One at a time on a thread.
class LoopLimit {
 public:
  explicit LoopLimit(double seconds);
  ~LoopLimit();
  LoopLimit(const LoopLimit&) = delete;
  LoopLimit& operator=(const LoopLimit&) = delete;

  // Whether a loop was ended by it.
  bool was_reached() const { return was_reached_; }

 private:
  friend void LookAtTheTime();

  const std::chrono::steady_clock::time_point end_;
  bool was_reached_ = false;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_LOOP_LIMIT_H_
