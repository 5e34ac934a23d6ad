#include "runtime/collate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

using testing::HasSubstr;

TEST(CheckFinite, NamesTheRecordAndTheModalityWhoseFeaturesAreNoNumbers) {
  std::vector<PreparedExample> examples(3);
  for (size_t i = 0; i < examples.size(); ++i)
    examples[i].example.key = absl::StrCat("cubes.jsonl:", i + 1);
  ModelInput input;
  // The second row of the segment is the third record.
  ModalitySegment& segment = input.segments.emplace_back();
  segment.connection = "radar";
  segment.rows = {0, 2};
  segment.features.values = at::zeros({2, 4, 8});
  EXPECT_EQ(CheckFinite(input, examples), absl::OkStatus());
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    segment.features.values[1][3][7] = bad;
    const absl::Status status = CheckFinite(input, examples);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("cubes.jsonl:3: modality \"radar\""));
  }
}

}  // namespace
}  // namespace unival
