// Each method on small tensors, compared with values computed by hand.
#include "backbone/merging/tensor_merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

namespace unival {
namespace {

at::Tensor Values(std::vector<float> values) { return at::tensor(values); }

TensorGroup Group(std::vector<at::Tensor> inputs, at::Tensor base = at::Tensor()) {
  TensorGroup group;
  group.inputs = std::move(inputs);
  group.base = std::move(base);
  group.name = "backbone.w";
  return group;
}

at::Tensor Merge(const std::string& method, const TensorGroup& group, double scale,
                 std::vector<double> weights = {}, double density = 1, uint64_t seed = 0) {
  MergeWeights settings;
  settings.scale = scale;
  settings.weights = weights.empty() ? std::vector<double>(group.inputs.size(), 1) : weights;
  settings.density = density;
  settings.seed = seed;
  return FindMergeMethod(method)->merge(group, settings);
}

TEST(TensorMerge, InterpolationWeighsTheFirstByLambda) {
  // 0.25 * 4 + 0.75 * 8 = 7, 0.25 * 0 + 0.75 * -4 = -3.
  const TensorGroup group = Group({Values({4, 0}), Values({8, -4})});
  EXPECT_TRUE(Merge("interpolate", group, 0.25).equal(Values({7, -3})));
}

TEST(TensorMerge, TheAverageIsTheSumByShares) {
  const TensorGroup group = Group({Values({2, 4}), Values({6, 0}), Values({8, 8})});
  // 0.5 * 2 + 0.25 * 6 + 0.25 * 8 = 4.5; 0.5 * 4 + 0.25 * 8 = 4.
  EXPECT_TRUE(Merge("average", group, 1, {0.5, 0.25, 0.25}).equal(Values({4.5, 4})));
}

TEST(TensorMerge, WhatHasNoShareDoesNotAct) {
  const TensorGroup group = Group({Values({1}), Values({std::numeric_limits<float>::infinity()})});
  EXPECT_TRUE(Merge("average", group, 1, {1, 0}).equal(Values({1})));
}

TEST(TensorMerge, SlerpKeepsTheLengthOnTheArcBetweenTwoUnitVectors) {
  // Halfway between the axes: (1, 1) / sqrt(2); a third of the way from the first, at 30 degrees.
  const TensorGroup group = Group({Values({1, 0}), Values({0, 1})});
  EXPECT_TRUE(Merge("slerp", group, 0.5).allclose(Values({0.70710678f, 0.70710678f})));
  EXPECT_TRUE(Merge("slerp", group, 2.0 / 3).allclose(Values({0.8660254f, 0.5f})));
}

TEST(TensorMerge, SlerpOfParallelOrEmptyDirectionsIsALine) {
  EXPECT_TRUE(Merge("slerp", Group({Values({2, 0}), Values({4, 0})}), 0.5).equal(Values({3, 0})));
  EXPECT_TRUE(Merge("slerp", Group({Values({0, 0}), Values({4, 2})}), 0.5).equal(Values({2, 1})));
}

TEST(TensorMerge, TaskArithmeticAddsDifferencesFromTheBase) {
  // Differences (1, 0) and (2, -1); 10 + 0.5 * 3 = 11.5, 20 + 0.5 * -1 = 19.5.
  const TensorGroup group = Group({Values({11, 20}), Values({12, 19})}, Values({10, 20}));
  EXPECT_TRUE(Merge("task_arithmetic", group, 0.5).equal(Values({11.5, 19.5})));
  // Taken away: 10 - 1 + 2 = 11, 20 - 0 - 1 = 19.
  EXPECT_TRUE(Merge("task_arithmetic", group, 1, {-1, 1}).equal(Values({11, 19})));
}

TEST(TensorMerge, TiesTrimsElectsASignAndAveragesThoseThatHaveIt) {
  // Of each difference the two largest of four stay: (4, -3, 0, 0), (2, 0, 5, 0), (0, -1, -2, 0).
  // Sums (6, -4, 3, 0) elect (+, -, +, none); means of those that agree: 3, -2, 5, 0.
  const TensorGroup group =
      Group({Values({4, -3, 1, 0.5}), Values({2, 1, 5, 0.5}), Values({0.5, -1, -2, 0.5})},
            at::zeros({4}));
  EXPECT_TRUE(Merge("ties", group, 1, {}, 0.5).equal(Values({3, -2, 5, 0})));
  EXPECT_TRUE(Merge("ties", group, 0.5, {}, 0.5).equal(Values({1.5, -1, 2.5, 0})));
}

TEST(TensorMerge, TiesWeighsTheMeanOfThoseThatAgree) {
  // (1 * 3 + 3 * 1) / 4 = 1.5 on the base 10.
  const TensorGroup group = Group({Values({13}), Values({11})}, Values({10}));
  EXPECT_TRUE(Merge("ties", group, 1, {1, 3}).equal(Values({11.5})));
}

TEST(TensorMerge, DareDropsAtRandomAndRescalesWhatStays) {
  const TensorGroup group = Group({at::full({10000}, 1.f)}, at::zeros({10000}));
  const at::Tensor merged = Merge("dare", group, 1, {}, 0.25, 7);
  // A number is dropped or four times as large; a quarter stays, within five deviations.
  EXPECT_TRUE((merged.eq(0) | merged.eq(4)).all().item<bool>());
  EXPECT_NEAR(merged.ne(0).sum().item<int64_t>(), 2500, 5 * 43.3);
  EXPECT_TRUE(Merge("dare", group, 1, {}, 0.25, 7).equal(merged));
  EXPECT_FALSE(Merge("dare", group, 1, {}, 0.25, 8).equal(merged));
}

TEST(TensorMerge, DareDrawsApartForEachModelAndTensor) {
  TensorGroup group = Group({at::full({1000}, 1.f), at::full({1000}, 1.f)}, at::zeros({1000}));
  const at::Tensor first = Merge("dare", group, 1, {1, 0}, 0.5);
  EXPECT_FALSE(Merge("dare", group, 1, {0, 1}, 0.5).equal(first));
  group.name = "backbone.other";
  EXPECT_FALSE(Merge("dare", group, 1, {1, 0}, 0.5).equal(first));
}

TEST(TensorMerge, HalfStaysHalfAndMixedTypesTakeTheWidest) {
  const at::Tensor half = Values({1, 2}).to(at::kHalf);
  for (const std::string& name : MergeMethodNames()) {
    const TensorGroup group = Group({half, half * 2}, half * 3);
    EXPECT_EQ(Merge(name, group, 0.5).scalar_type(), at::kHalf) << name;
    EXPECT_EQ(Merge(name, Group({half, Values({3, 1})}, half), 0.5).scalar_type(), at::kFloat)
        << name;
  }
}

TEST(TensorMerge, SaysWhichTensorIsCopiedWhateverItHolds) {
  const auto copied = [](const char* method, double scale, std::vector<double> weights,
                         double density = 1) {
    MergeWeights settings;
    settings.scale = scale, settings.weights = std::move(weights), settings.density = density;
    return CopiedTensor(*FindMergeMethod(method), settings);
  };
  EXPECT_EQ(copied("interpolate", 1, {1, 1}), absl::optional<int>(0));
  EXPECT_EQ(copied("slerp", 0, {1, 1}), absl::optional<int>(1));
  EXPECT_EQ(copied("slerp", 0.5, {1, 1}), absl::nullopt);
  EXPECT_EQ(copied("average", 1, {0, 1, 0}), absl::optional<int>(1));
  EXPECT_EQ(copied("task_arithmetic", 0, {1, 1}), absl::optional<int>(kBaseTensor));
  EXPECT_EQ(copied("task_arithmetic", 1, {1}), absl::optional<int>(0));
  EXPECT_EQ(copied("ties", 1, {1}, 0.5), absl::nullopt);
}

}  // namespace
}  // namespace unival
