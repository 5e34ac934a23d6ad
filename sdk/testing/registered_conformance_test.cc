// Tests the checks themselves: a good fake of each kind passes every rule, and each broken fake
// fails exactly the rule that it breaks.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sdk/native/feature_encoder.h"
#include "sdk/native/registry.h"
#include "sdk/testing/conformance.h"

namespace unival {
namespace {

using Rules = std::vector<std::string>;

Rules FailedRules(const ConformanceReport& report) {
  Rules failed;
  for (const ConformanceRow& row : report.rows) {
    if (!row.ok) failed.push_back(row.rule);
  }
  return failed;
}

// The upper left quarter of a picture.
class FakeNetwork : public FeatureEncoder {
 public:
  explicit FakeNetwork(std::string flaw) : flaw_(std::move(flaw)) {}
  at::Tensor forward(const at::Tensor& input) override {
    at::Tensor map = input.slice(2, 0, input.size(2) / 2).slice(3, 0, input.size(3) / 2);
    if (flaw_ == "batch_invariance") map = map - map.mean(0, /*keepdim=*/true);
    if (flaw_ == "determinism" && input.size(0) == 1) map = map + (++calls_ % 2 == 0 ? 1 : 0);
    return map;
  }
  int64_t feature_dim() const override { return flaw_ == "output_as_declared" ? 4 : 3; }
  std::string feature_name() const override { return flaw_ == "description" ? "" : "quarter"; }
  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override {
    return std::vector<int64_t>{input_shape[1] / 2, input_shape[2] / 2};
  }

 private:
  const std::string flaw_;
  int calls_ = 0;
};

TEST(NetworkConformance, AcceptsASoundNetworkAndFindsEachFlaw) {
  EncoderInput input;
  input.height = input.width = 8;
  const auto failed = [&](const std::string& flaw) {
    FakeNetwork network(flaw);
    return FailedRules(CheckNetwork(network, input));
  };
  EXPECT_EQ(failed(""), Rules{});
  for (const std::string flaw :
       {"description", "output_as_declared", "batch_invariance", "determinism"}) {
    EXPECT_EQ(failed(flaw), Rules{flaw});
  }
}

class FakeMetric : public Metric {
 public:
  FakeMetric(std::string flaw, ReferenceReader reader)
      : flaw_(std::move(flaw)), reader_(std::move(reader)) {
    static int made = 0;
    if (flaw_ == "determinism") right_ = ++made;
  }
  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    if (flaw_ == "answers") return absl::InvalidArgumentError("not today");
    ++count_;
    right_ += reader_(reference)->texts.at(0) == prediction.text;
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample&) override { count_ += flaw_ == "failures_count" ? 0 : 1; }
  std::map<std::string, double> Result() const override {
    if (count_ == 0) return {{"share", flaw_ == "no_answers" ? std::nan("") : 0}};
    return {{"share", right_ / count_}};
  }

 private:
  const std::string flaw_;
  const ReferenceReader reader_;
  double right_ = 0, count_ = 0;
};

TEST(MetricConformance, AcceptsASoundMetricAndFindsEachFlaw) {
  const auto failed = [](const std::string& flaw) {
    return FailedRules(CheckMetric({"fake",
                                    flaw == "description" ? "" : "share of right answers",
                                    false,
                                    [flaw](ReferenceReader reader) {
                                      return std::unique_ptr<Metric>(
                                          new FakeMetric(flaw, std::move(reader)));
                                    },
                                    {{flaw == "scores_as_declared" ? "shares" : "share"}}}));
  };
  EXPECT_EQ(failed(""), Rules{});
  for (const std::string flaw : {"description", "no_answers", "answers", "scores_as_declared",
                                 "failures_count", "determinism"}) {
    EXPECT_EQ(failed(flaw), Rules{flaw});
  }
}

}  // namespace
}  // namespace unival
