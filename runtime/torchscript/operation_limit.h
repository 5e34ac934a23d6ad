// unival: operation_limit.h - a TorchScript program ends, and what one operation of it makes is
// bounded.
//
//   LimitOperations(module);                // once, before the module is called
//   OperationLimit limit(60);               // around a call, on the thread that makes it
//   const c10::IValue value = module.forward({input});
//   if (!limit.failure().empty()) ...       // "aten::expand gives 4398046511104 values, ..."
//
// A line of a file may ask for terabytes, or for years of work on a tensor that is expanded and
// takes no memory. Memory is bounded where tensors are allocated (runtime/memory_budget.h); here
// each result is looked at before the next operation gets it. So no operation works on more than
// kMaxTensorValues values, and the time is looked at between any two. A file may also hold `while
// True`, with nothing in it, and libtorch offers no way to stop a program that runs: so every round
// of every loop looks at the time too. Nothing else runs for ever, since functions that call
// themselves are refused (program_check.h).
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_OPERATION_LIMIT_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_OPERATION_LIMIT_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace torch {
namespace jit {
struct Module;
}  // namespace jit
}  // namespace torch

namespace unival {

inline constexpr int64_t kMaxTensorValues = int64_t{1} << 28;  // of a tensor
inline constexpr int64_t kMaxListEntries = int64_t{1} << 20;   // of a list, a dictionary or a text

// Puts an operator into every loop and before every operation of every function and method, and one
// that looks at its results behind those that make tensors, lists, dictionaries and texts.
void LimitOperations(const torch::jit::Module& module);

// While it lives, what throws on this thread: a round of a loop that begins `loop_seconds` after
// its construction, an operation that begins twice as long after it, so that a loop is called a
// loop, and an operation that makes more than the bounds above. One at a time on a thread.
class OperationLimit {
 public:
  explicit OperationLimit(double loop_seconds);
  ~OperationLimit();
  OperationLimit(const OperationLimit&) = delete;
  OperationLimit& operator=(const OperationLimit&) = delete;

  // The operation that began last, "aten::matmul"; empty before the first.
  const std::string& operation() const { return operation_; }
  // What was beyond a bound; empty where nothing was.
  const std::string& failure() const { return failure_; }
  // Whether that was the time.
  bool is_late() const { return is_late_; }

  // For the operators that LimitOperations puts in: each throws where a bound is exceeded.
  void BeginRound();
  void Begin(const std::string& operation);
  void LookAtSize(const char* of, int64_t size, int64_t most);

 private:
  bool IsAfter(double seconds) const;
  [[noreturn]] void EndLate(std::string failure);

  const std::chrono::steady_clock::time_point begin_;
  const double loop_seconds_;
  std::string operation_, failure_;
  bool is_late_ = false;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_OPERATION_LIMIT_H_
