// unival: memory_use.h - how much memory this process uses, as the system counts it.
#ifndef UNIVAL_SDK_BASE_MEMORY_USE_H_
#define UNIVAL_SDK_BASE_MEMORY_USE_H_

#include <cstdint>

namespace unival {

// In bytes, from /proc/self/status. All zero when the system does not tell.
struct MemoryUse {
  int64_t addresses = 0;  // size of the address space in use (VmSize)
  int64_t resident = 0;   // in physical memory, pages of mapped files included
  int64_t own = 0;        // the part of `resident` that no file backs
  int64_t peak = 0;       // the largest `resident` so far
};

MemoryUse MemoryOfThisProcess();

// MemoryUse::peak in MiB, for logs and results of runs.
double PeakMemoryMb();

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_MEMORY_USE_H_
