// Everything that was recorded of the original implementation, also at the published size (330
// million parameters with all networks). UNIVAL_SHARED names the folder that has golden/.
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/runtime.h"
#include "upstream/parity/parity.h"

namespace unival {
namespace {

TEST(FullParity, EveryRecordedCaseAgrees) {
  const char* shared = std::getenv("UNIVAL_SHARED");
  ASSERT_NE(shared, nullptr) << "set UNIVAL_SHARED: bazel test --test_env=UNIVAL_SHARED=FOLDER";
  const auto runtime = Runtime::Create({}).value();
  ParityOptions options;
  options.fixture = std::string(shared) + "/golden";
  const auto report = RunParity(options, *runtime);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok()) << ToTable(*report);
  EXPECT_GE(report->cases.size(), 200u);
}

}  // namespace
}  // namespace unival
