#include "app/library_variables.h"

namespace unival {
namespace {

// Of its own, libgomp looks 300,000 times and keeps a core busy through all that one thread does
// alone: as many loads, each with a `pause`, took 13.7 milliseconds on an AMD EPYC. A tenth of a
// millisecond, 2000 looks, outlasts the gaps between the products of a layer.
constexpr char kSpins[] = "2000";

// The name that OpenBLAS has for kernels of this processor's vector instructions.
const char* BlasCoreType() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16")) return "Cooperlake";
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return "";
}

}  // namespace

std::array<LibraryVariable, 2> LibraryVariables() {
  return {{{"OPENBLAS_CORETYPE", BlasCoreType(), nullptr},
           {"GOMP_SPINCOUNT", kSpins, "OMP_WAIT_POLICY"}}};
}

}  // namespace unival
