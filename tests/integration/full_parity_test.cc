// Compares with all recorded outputs of the original implementation, also at the published size
// (330 million parameters with all networks). UNIVAL_SHARED is the folder that contains golden/.
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/runtime.h"
#include "upstream/parity/parity.h"

namespace unival {
namespace {

class FullParity : public ::testing::TestWithParam<InferencePrecision> {};

TEST_P(FullParity, EveryRecordedCaseAgrees) {
  const char* shared = std::getenv("UNIVAL_SHARED");
  ASSERT_NE(shared, nullptr) << "set UNIVAL_SHARED: bazel test --test_env=UNIVAL_SHARED=FOLDER";
  const auto runtime = Runtime::Create({}).value();
  ParityOptions options;
  options.fixture = std::string(shared) + "/golden";
  options.precision = GetParam();
  const auto report = RunParity(options, *runtime);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok()) << ToTable(*report);
  EXPECT_GE(report->cases.size(), 200u);
}

INSTANTIATE_TEST_SUITE_P(Precisions, FullParity,
                         ::testing::Values(InferencePrecision::kFloat32,
                                           InferencePrecision::kBFloat16,
                                           InferencePrecision::kInt8),
                         [](const auto& test) { return InferencePrecisionName(test.param); });

}  // namespace
}  // namespace unival
