#include "training/evaluation/linear_probe.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

// Three clouds in a plane, and a coordinate that never changes.
at::Tensor Clouds(const at::Tensor& labels) {
  const at::Tensor centres = at::tensor({0.0, 0.0, 4.0, 0.0, 0.0, 4.0}, at::kDouble).view({3, 2});
  const at::Tensor points =
      centres.index_select(0, labels) + at::randn({labels.size(0), 2}, at::kDouble);
  return at::cat({points * 100, at::full({labels.size(0), 1}, 7.0, at::kDouble)}, 1);
}

TEST(FitAndClassify, SeparatesCloudsWhateverTheirScale) {
  at::manual_seed(3);
  const at::Tensor train = at::randint(3, {300}, at::kLong),
                   test = at::randint(3, {200}, at::kLong);
  const at::Tensor answers = FitAndClassify(Clouds(train), train, 3, Clouds(test), {});
  EXPECT_GT(answers.eq(test).to(at::kDouble).mean().item<double>(), 0.93);
}

TEST(FitAndClassify, KnowsNothingFromFeaturesWithoutLabels) {
  at::manual_seed(4);
  const at::Tensor train = at::randint(10, {400}, at::kLong),
                   test = at::randint(10, {400}, at::kLong);
  const at::Tensor noise = at::randn({400, 5}, at::kDouble);
  const at::Tensor answers = FitAndClassify(noise, train, 10, noise.roll(1, 0), {});
  EXPECT_LT(answers.eq(test).to(at::kDouble).mean().item<double>(), 0.2);
}

TEST(FitAndClassify, GivesTheSameAnswersAgain) {
  at::manual_seed(5);
  const at::Tensor labels = at::randint(3, {60}, at::kLong);
  const at::Tensor points = Clouds(labels);
  EXPECT_TRUE(at::equal(FitAndClassify(points, labels, 3, points, {}),
                        FitAndClassify(points, labels, 3, points, {})));
}

}  // namespace
}  // namespace unival
