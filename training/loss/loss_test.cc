#include "training/loss/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sdk/testing/golden.h"

namespace unival {
namespace {

constexpr double kRelative = 1e-5;

// The loss function alone on stored logits [12, 30], against the reference's value and gradient.
class GoldenLossFunction : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = LoadSafetensors("tests/golden/tiny/loss_functions.safetensors");
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    golden_ = *std::move(loaded);
  }

  void ExpectEqual(const std::string& name, const LossConfig& config, bool is_masked,
                   int64_t sample_size, int64_t rows = 1) {
    const at::Tensor logits = golden_.at("logits").clone().requires_grad_();
    const at::Tensor target = golden_.at("target").view({rows, -1});
    LossMasks masks;
    if (is_masked) masks.allowed = golden_.at("constraint_masks").view({rows, -1, 30});
    auto result = ComputeLoss(logits.view({rows, -1, 30}), target, config, /*update=*/1, masks);
    ASSERT_TRUE(result.ok()) << result.status();
    const double loss = golden_.at(name + "/loss").item<double>();
    EXPECT_NEAR(result->loss.item<double>(), loss, std::abs(loss) * kRelative);
    const double nll = golden_.at(name + "/nll_loss").item<double>();
    EXPECT_NEAR(result->nll, nll, std::abs(nll) * kRelative);
    EXPECT_EQ(result->sample_size, sample_size);
    EXPECT_EQ(result->tokens, 12);
    result->loss.backward();
    EXPECT_LT(MaxDifference(logits.grad(), golden_.at(name + "/grad_logits")), 1e-6);
    ExpectRowsAddUp(name, config, masks, rows, sample_size);
  }

  // The same as a sum over rows.
  void ExpectRowsAddUp(const std::string& name, LossConfig config, const LossMasks& masks,
                       int64_t rows, int64_t sample_size) {
    config.by_row = true;
    const at::Tensor logits = golden_.at("logits").clone().requires_grad_();
    auto result = ComputeLoss(logits.view({rows, -1, 30}), golden_.at("target").view({rows, -1}),
                              config, /*update=*/1, masks);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->row_loss.size(0), config.rdrop_alpha > 0 ? rows / 2 : rows);
    const double loss = golden_.at(name + "/loss").item<double>();
    EXPECT_NEAR(result->row_loss.sum().item<double>(), loss, std::abs(loss) * kRelative);
    EXPECT_EQ(result->sample_size, sample_size);
    if (!config.sentence_average) {
      EXPECT_EQ(result->row_tokens.sum().item<double>(), static_cast<double>(sample_size));
    }
    result->row_loss.sum().backward();
    EXPECT_LT(MaxDifference(logits.grad(), golden_.at(name + "/grad_logits")), 1e-6);
  }

  TensorMap golden_;
};

LossConfig Smoothed(double smoothing) {
  LossConfig config;
  config.label_smoothing = smoothing;
  config.pad = -1;  // the stored targets are drawn from the whole vocabulary
  config.eos = -1;
  return config;
}

TEST_F(GoldenLossFunction, PlainSmoothing) { ExpectEqual("plain", Smoothed(0.1), false, 12); }

TEST_F(GoldenLossFunction, UnderConstraintMasks) { ExpectEqual("cmask", Smoothed(0.1), true, 12); }

TEST_F(GoldenLossFunction, UnderARange) {
  LossConfig config = Smoothed(0.1);
  config.allowed_range = TokenRange{4, 30};
  ExpectEqual("crange", config, false, 12);
}

TEST_F(GoldenLossFunction, WithoutTheWorstTokens) {
  LossConfig config = Smoothed(0.1);
  config.drop_worst_ratio = 0.3;
  ExpectEqual("drop", config, false, 8);
}

TEST_F(GoldenLossFunction, WithDivergenceBetweenHalves) {
  LossConfig config = Smoothed(0.1);
  config.rdrop_alpha = 0.7;
  ExpectEqual("rdrop", config, false, 12, 2);
  config.drop_worst_ratio = 0.4;
  ExpectEqual("rdrop_drop", config, false, 6, 2);
  config = Smoothed(0.05);
  config.rdrop_alpha = 1;
  config.allowed_range = TokenRange{4, 30};
  ExpectEqual("rdrop_range", config, false, 12, 2);
}

at::Tensor SmallLogits() { return GoldenInput("input.loss.logits", 5, {2, 4, 10}, 3); }

TEST(ComputeLoss, CountsTokensAndRightPredictions) {
  const at::Tensor logits = SmallLogits();
  at::Tensor target = logits.argmax(-1);
  target.select(1, 3).fill_(1);     // padding
  target.select(0, 0)[0].fill_(9);  // not the likeliest
  ASSERT_NE(logits.argmax(-1)[0][0].item<int64_t>(), 9);
  target.select(0, 1).slice(0, 0, 3).masked_fill_(target.select(0, 1).slice(0, 0, 3).eq(1), 0);
  auto result = ComputeLoss(logits, target, LossConfig(), 0);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tokens, target.ne(1).sum().item<int64_t>());
  EXPECT_EQ(result->correct,
            logits.argmax(-1).eq(target).logical_and(target.ne(1)).sum().item<int64_t>());
  EXPECT_NEAR(result->loss.item<double>(), result->nll, 1e-5);
}

TEST(ComputeLoss, LeavesOutPaddingPrefixAndEnds) {
  const at::Tensor target = at::tensor({1, 5, 6, 2, 7, 8, 2, 1}, at::kLong).view({2, 4});
  LossConfig config;
  auto result = ComputeLoss(SmallLogits(), target, config, 0);
  EXPECT_EQ(result->tokens, 6);
  config.ignore_eos = true;
  EXPECT_EQ(ComputeLoss(SmallLogits(), target, config, 0)->tokens, 4);
  config.ignore_prefix = 2;
  EXPECT_EQ(ComputeLoss(SmallLogits(), target, config, 0)->tokens, 1);
  config.sentence_average = true;
  EXPECT_EQ(ComputeLoss(SmallLogits(), target, config, 0)->sample_size, 2);
}

TEST(ComputeLoss, GivesTheSameForARowAloneAndInABatch) {
  const at::Tensor target = at::tensor({5, 6, 2, 1, 7, 8, 9, 2}, at::kLong).view({2, 4});
  LossConfig config;
  config.label_smoothing = 0.1;
  config.encouraging = true;
  config.log_end = 0.75;
  double sum = 0;
  for (int64_t row = 0; row < 2; ++row) {
    sum += ComputeLoss(SmallLogits().narrow(0, row, 1), target.narrow(0, row, 1), config, 0)
               ->loss.item<double>();
  }
  EXPECT_NEAR(ComputeLoss(SmallLogits(), target, config, 0)->loss.item<double>(), sum, 1e-4);
}

TEST(ComputeLoss, NamesShapesThatDoNotFit) {
  const auto error = [](const at::Tensor& target, const LossMasks& masks) {
    return std::string(
        ComputeLoss(SmallLogits(), target, LossConfig(), 0, masks).status().message());
  };
  EXPECT_THAT(error(at::tensor({1, 2, 3}, at::kLong), {}), testing::HasSubstr("target is 1-D [3]"));
  EXPECT_THAT(error(SmallLogits().argmax(-1) * 0 + 1, {}), testing::HasSubstr("none of the 8"));
  EXPECT_THAT(error(SmallLogits().argmax(-1), {at::tensor({1}, at::kLong).to(at::kBool), {}}),
              testing::HasSubstr("allowed tokens"));
}

TEST(AllowedByAnswers, WalksTheAnswersBehindThePrompt) {
  const at::Tensor target = at::tensor({1, 4, 5, 2, 6, 2, 1, 1}, at::kLong).view({2, 4});
  const at::Tensor allowed = AllowedByAnswers(target, {{4}, {4, 5}, {6}}, 10);
  const auto ids = [&](int64_t row, int64_t t) {
    std::vector<int64_t> found;
    for (int64_t i = 0; i < 10; ++i) {
      if (allowed[row][t][i].item<bool>()) found.push_back(i);
    }
    return found;
  };
  EXPECT_EQ(ids(0, 0).size(), 10u);
  EXPECT_EQ(ids(0, 1), (std::vector<int64_t>{4, 6}));
  EXPECT_EQ(ids(0, 2), (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(ids(0, 3), (std::vector<int64_t>{2}));
  EXPECT_EQ(ids(1, 1), (std::vector<int64_t>{2}));
  EXPECT_EQ(ids(1, 2).size(), 10u);
}

TEST(LossByRow, IsThatOfEachRowAlone) {
  const at::Tensor logits = at::arange(3 * 4 * 6, at::kFloat).sin().view({3, 4, 6});
  const at::Tensor target =
      at::tensor({3, 4, 5, 2, 3, 2, 1, 1, 5, 1, 1, 2}, at::kLong).view({3, 4});
  LossConfig config;
  config.label_smoothing = 0.1;
  config.encouraging = true;
  config.by_row = true;
  const auto together = ComputeLoss(logits, target, config, 0);
  ASSERT_TRUE(together.ok()) << together.status();
  config.by_row = false;
  for (int64_t row = 0; row < 3; ++row) {
    const auto alone = ComputeLoss(logits.narrow(0, row, 1), target.narrow(0, row, 1), config, 0);
    ASSERT_TRUE(alone.ok()) << alone.status();
    EXPECT_NEAR(together->row_loss[row].item<double>(), alone->loss.item<double>(), 1e-5) << row;
    EXPECT_EQ(together->row_tokens[row].item<double>(), static_cast<double>(alone->tokens)) << row;
  }
}

}  // namespace
}  // namespace unival
