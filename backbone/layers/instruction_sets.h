// unival: instruction_sets.h - loops that are written once and compiled for each instruction set.
//
//   UNIVAL_INLINE void Double(float* x, int64_t n) { for (int64_t i = 0; i < n; ++i) x[i] *= 2; }
//   void DoublePortable(float* x, int64_t n) { Double(x, n); }
//   #if defined(UNIVAL_AVX2)
//   UNIVAL_AVX2 void DoubleAvx2(float* x, int64_t n) { Double(x, n); }
//   #endif
#ifndef UNIVAL_BACKBONE_LAYERS_INSTRUCTION_SETS_H_
#define UNIVAL_BACKBONE_LAYERS_INSTRUCTION_SETS_H_

// A loop takes the instruction set of the function that it is inlined into.
#define UNIVAL_INLINE inline __attribute__((always_inline))

// What functions are marked with; not defined on other processors.
#if defined(__x86_64__)
#define UNIVAL_AVX2 __attribute__((target("avx2,fma")))
#define UNIVAL_AVX512 __attribute__((target("avx2,fma,avx512f,avx512dq,avx512vl,avx512bw")))
#endif

namespace unival::layers {

enum class InstructionSet { kPortable, kAvx2, kAvx512 };

// The largest of them that this machine has; it is asked once.
inline InstructionSet BestInstructionSet() {
#if defined(__x86_64__)
  static const bool avx512 =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512) return InstructionSet::kAvx512;
  if (avx2) return InstructionSet::kAvx2;
#endif
  return InstructionSet::kPortable;
}

}  // namespace unival::layers

#endif  // UNIVAL_BACKBONE_LAYERS_INSTRUCTION_SETS_H_
