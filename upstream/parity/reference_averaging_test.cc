#include "upstream/parity/reference_averaging.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

at::Tensor Values(std::vector<float> values) { return at::tensor(values); }

TEST(InterpolateTensors, WeighsTheFirstAndKeepsWhatTheSecondLacks) {
  const TensorMap first = {{"w", Values({1, 2})}, {"own", Values({4})}, {"wide", Values({1, 1})}};
  const TensorMap second = {{"w", Values({3, 6})}, {"wide", Values({9})}};
  const TensorMap merged = InterpolateTensors(first, second, 0.75).value();
  EXPECT_TRUE(merged.at("w").allclose(Values({1.5, 3})));
  EXPECT_TRUE(merged.at("own").allclose(Values({4})));
  EXPECT_TRUE(merged.at("wide").allclose(Values({1, 1})));
}

TEST(InterpolateTensors, IntegersBecomeFloatAndHalfStaysHalf) {
  const TensorMap first = {{"count", at::tensor({2}, at::kLong)},
                           {"half", Values({1}).to(at::kHalf)}};
  const TensorMap merged = InterpolateTensors(first, first, 0.5).value();
  EXPECT_EQ(merged.at("count").scalar_type(), at::kFloat);
  EXPECT_EQ(merged.at("half").scalar_type(), at::kHalf);
}

TEST(SumTensors, AddsTermsAndCountsWhatATermLacksAsTheSumSoFar) {
  const TensorMap a = {{"w", Values({1})}, {"skipped", Values({2})}};
  const TensorMap b = {{"w", Values({5})}, {"skipped", Values({100})}};
  const TensorMap sum = SumTensors({{&a, 0.5}, {&b, 0.5}}, {"skip"}).value();
  EXPECT_TRUE(sum.at("w").allclose(Values({3})));
  EXPECT_TRUE(sum.at("skipped").allclose(Values({1.5})));
  EXPECT_FALSE(SumTensors({}).ok());
}

}  // namespace
}  // namespace unival
