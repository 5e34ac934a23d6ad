#include "runtime/machine_report.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <dlfcn.h>
#include <google/protobuf/stubs/common.h>
#include <torch/csrc/api/include/torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

extern "C" {
#include <libavutil/avutil.h>
}

#include "absl/base/config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

// Path of the loaded library that provides BLAS's sgemm.
std::string BlasLibrary() {
  void* symbol = dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info;
  if (symbol == nullptr || dladdr(symbol, &info) == 0) return "";
  char* resolved = realpath(info.dli_fname, nullptr);
  const std::string path = resolved != nullptr ? resolved : info.dli_fname;
  free(resolved);
  return path;
}

std::string BlasKernels() {
  using CoreName = char* (*)();
  const auto name = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? "" : name();
}

// In GFLOP/s, the best of four.
double MatrixRate() {
  constexpr int64_t kSize = 1024;
  const at::Tensor a = at::ones({kSize, kSize});
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    at::mm(a, a);
    const auto taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, std::chrono::duration<double>(taken).count());
  }
  return 2.0 * kSize * kSize * kSize / best / 1e9;
}

bool IsFast(const std::string& blas) {
  return absl::StrContains(blas, "openblas") || absl::StrContains(blas, "mkl");
}

}  // namespace

MachineReport ExamineMachine() {
  MachineReport report;
  report.libtorch = TORCH_VERSION;
  report.abseil = ABSL_LTS_RELEASE_VERSION;
  report.protobuf = google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION);
  report.ffmpeg = av_version_info();
  report.blas = BlasLibrary();
  report.blas_kernels = BlasKernels();
  report.threads = at::get_num_threads();
  report.matrix_product_gflops = std::round(MatrixRate());
  report.devices = {"cpu"};
  if (at::hasCUDA()) report.devices.push_back("cuda");
  if (!IsFast(report.blas)) {
    report.warnings.push_back(absl::StrCat("BLAS is ",
                                           report.blas.empty() ? "missing" : report.blas,
                                           ", tens of times slower than it could be; install "
                                           "libopenblas0-openmp"));
  }
  return report;
}

}  // namespace unival
