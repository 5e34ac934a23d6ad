// unival: machine_report.h
//
// What this process computes with, and whether that is as it should be; `unival doctor` shows it.
//
//   const MachineReport report = ExamineMachine();
//   for (const std::string& warning : report.warnings) std::cerr << warning << "\n";
#ifndef UNIVAL_RUNTIME_MACHINE_REPORT_H_
#define UNIVAL_RUNTIME_MACHINE_REPORT_H_

#include <string>
#include <vector>

namespace unival {

struct MachineReport {
  // Versions that the libraries themselves report.
  std::string libtorch, protobuf, ffmpeg;
  int abseil = 0;    // release, 20220623
  std::string blas;  // path of the loaded library that multiplies matrices; empty: none does
  // The processor whose kernels OpenBLAS uses ("SkylakeX", "Haswell"); empty with another BLAS.
  // Where OPENBLAS_CORETYPE in the environment names an older processor, products are slower than
  // they could be.
  std::string blas_kernels;
  int threads = 0;  // compute threads of libtorch
  double matrix_product_gflops = 0;
  std::vector<std::string> devices;  // "cpu", and "cuda" where libtorch finds one
  // What makes this machine slower than it could be, and the remedy.
  std::vector<std::string> warnings;
};

// Examines this machine and process. It measures a float32 matrix product of 1024^3 with all
// threads, which takes a moment. Thread-safe.
MachineReport ExamineMachine();

}  // namespace unival

#endif  // UNIVAL_RUNTIME_MACHINE_REPORT_H_
