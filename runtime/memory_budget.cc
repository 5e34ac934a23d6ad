#include "runtime/memory_budget.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"

namespace unival {
namespace {

class OverBudget : public std::bad_alloc {
 public:
  explicit OverBudget(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  const std::string what_;
};

}  // namespace

// libtorch tells a profiler of every block; here it is stopped instead of noted. Without
// `override`, since the totals have other types from libtorch 2.1 on: one of the two functions is
// the virtual one.
class MemoryBudget::Counter : public c10::MemoryReportingInfoBase {
 public:
  Counter(int64_t bytes, const std::string& why) : bytes_(bytes), why_(why) {}

  void reportMemoryUsage(void* block, int64_t size, int64_t, int64_t, c10::Device device) {
    Count(block, size, device);
  }
  void reportMemoryUsage(void* block, int64_t size, size_t, size_t, c10::Device device) {
    Count(block, size, device);
  }
  bool memoryProfilingEnabled() const { return true; }
  bool is_exceeded() const { return is_exceeded_; }

 private:
  void Count(void* block, int64_t size, c10::Device device) {
    if (!device.is_cpu()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    Forget(block);
    // What is given back must never throw.
    if (size <= 0) return;
    if (used_ > bytes_ - size) {
      is_exceeded_ = true;
      Release(block);
      throw OverBudget(absl::StrCat("needs more memory than ", bytes_ >> 20, " MiB, ", why_));
    }
    used_ += size;
    live_[block] = size;
  }

  // A block that was allocated before this budget began is not counted, so freeing it gives no
  // credit. An address that is allocated again belonged to a block whose end was not reported, for
  // example because another thread freed it.
  void Forget(void* block) {
    const auto found = live_.find(block);
    if (found == live_.end()) return;
    used_ -= found->second;
    live_.erase(found);
  }

  // libtorch's own allocator reports a block right behind alloc_cpu, before it hands it to anybody
  // (c10/core/CPUAllocator.cpp, 1.13 to 2.x): what leaves it by an exception is lost unless it is
  // freed here. Another allocator may do otherwise; there the block is left alone.
  static void Release(void* block) {
    if (c10::GetCPUAllocator() == c10::GetDefaultCPUAllocator()) c10::free_cpu(block);
  }

  const int64_t bytes_;
  const std::string why_;
  std::mutex mutex_;  // threads that libtorch starts for this one report here too
  std::unordered_map<const void*, int64_t> live_;
  int64_t used_ = 0;  // bytes of `live_`
  std::atomic<bool> is_exceeded_{false};
};

namespace {

// 0 where there is no such limit.
int64_t LimitIn(const char* file) {
  int64_t bytes = 0;
  const std::string text = ReadWholeFile(file).value_or("");
  return absl::SimpleAtoi(text, &bytes) ? bytes : 0;  // "max" is no number
}

}  // namespace

MemoryBudget::MemoryBudget(int64_t bytes, const std::string& why)
    : counter_(std::make_shared<Counter>(bytes, why)),
      guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}

bool MemoryBudget::is_exceeded() const { return counter_->is_exceeded(); }

int64_t MachineMemory() {
  int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const int64_t limit = LimitIn(file);
    if (limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

}  // namespace unival
