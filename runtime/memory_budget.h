// unival: memory_budget.h - a bound on the memory of tensors that are made for others' numbers.
//
//   const MemoryBudget budget(4 * bytes_of_files, "four times what the model's files hold");
//   CatchTorch("model", [&] { return Build(manifest); });  // ResourceExhausted when it takes more
//
// A manifest is text that anybody may have written: sizes that are possible one by one may exhaust
// any machine together. What a model takes is known from its files.
#ifndef UNIVAL_RUNTIME_MEMORY_BUDGET_H_
#define UNIVAL_RUNTIME_MEMORY_BUDGET_H_

#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstdint>
#include <memory>
#include <string>

namespace unival {

// While it lives, the tensor allocation of this thread that takes more than `bytes` of the
// processor's memory throws std::bad_alloc with "needs more memory than N MiB, WHY". Counted are
// the blocks that were taken while it lived and have not been given back; what was taken before,
// and is given back now, is no credit. Budgets nest: the innermost counts.
class MemoryBudget {
 public:
  MemoryBudget(int64_t bytes, const std::string& why);

  // Whether it stopped an allocation: for callers to whom the exception comes as another one.
  bool is_exceeded() const;

 private:
  class Counter;

  const std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

// Bytes that this process may hold at most: the machine's memory, or the limit of its control
// group.
int64_t MachineMemory();

}  // namespace unival

#endif  // UNIVAL_RUNTIME_MEMORY_BUDGET_H_
