// unival: memory_use.h - how much memory this process has, as the system counts it.
#ifndef UNIVAL_SDK_BASE_MEMORY_USE_H_
#define UNIVAL_SDK_BASE_MEMORY_USE_H_

#include <cstdint>

namespace unival {

// In bytes. All zero where the system does not say (/proc/self/status).
struct MemoryUse {
  int64_t addresses = 0;  // what it has addresses for, touched or not
  int64_t resident = 0;   // what lies in memory, pages of mapped files included
  int64_t own = 0;        // of `resident`, what no file holds
  int64_t peak = 0;       // the largest `resident` so far
};

MemoryUse MemoryOfThisProcess();

// MemoryUse::peak in MiB, as logs and results of runs have it.
double PeakMemoryMb();

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_MEMORY_USE_H_
