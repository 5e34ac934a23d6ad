#include "runtime/machine_report.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MachineReport, SaysWhatComputes) {
  const MachineReport report = ExamineMachine();
  for (const std::string& version : {report.libtorch, report.protobuf, report.ffmpeg}) {
    EXPECT_THAT(version, testing::ContainsRegex("[0-9]"));
  }
  EXPECT_GT(report.abseil, 20200000);
  EXPECT_EQ(report.threads, at::get_num_threads());
  EXPECT_GT(report.matrix_product_gflops, 0);
  EXPECT_THAT(report.devices, Contains("cpu"));
}

TEST(MachineReport, WarnsOfASlowMatrixLibraryOnly) {
  const MachineReport report = ExamineMachine();
  const bool is_fast = report.blas.find("openblas") != std::string::npos ||
                       report.blas.find("mkl") != std::string::npos;
  if (is_fast) {
    EXPECT_THAT(report.warnings, Not(Contains(HasSubstr("BLAS is"))));
  } else {
    EXPECT_THAT(report.warnings, Contains(HasSubstr("libopenblas0-openmp")));
  }
}

}  // namespace
}  // namespace unival
