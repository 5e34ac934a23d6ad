// Compares packed products with the modules' own, and checks when they are not used.
#include "backbone/layers/packed_weights.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "backbone/layers/basic.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace layers {
namespace {

constexpr int64_t kSmallest = 0;

at::Tensor Packed(PackedWeights* packed, const at::Tensor& x, const at::Tensor& weight,
                  const at::Tensor& bias) {
  const PackedWeights::Use use(packed);
  const at::NoGradGuard no_grad;
  return LinearProduct(x, weight, bias, Tolerance::kEightBits);
}

// Largest difference divided by the largest value.
double Deviation(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

struct Sizes {
  int64_t rows, in, out;
};

class PackedProduct : public testing::TestWithParam<Sizes> {};

TEST_P(PackedProduct, IsTheModulesInEveryPrecision) {
  const Sizes n = GetParam();
  at::manual_seed(3);
  const at::Tensor weight = at::randn({n.out, n.in}), bias = at::randn({n.out});
  const at::Tensor x = at::randn({n.rows, n.in});
  const struct {
    InferencePrecision precision;
    double allowed;
  } kCases[] = {{InferencePrecision::kFloat32, 2e-6},
                {InferencePrecision::kBFloat16, 1e-2},
                {InferencePrecision::kInt8, 3e-2}};
  for (const auto& c : kCases) {
    PackedWeights packed(c.precision, kSmallest);
    for (const at::Tensor& added : {bias, at::Tensor()}) {
      const at::Tensor expected = at::linear(x, weight, added);
      const at::Tensor y = Packed(&packed, x, weight, added);
      EXPECT_EQ(y.sizes(), expected.sizes());
      EXPECT_LT(Deviation(y, expected), c.allowed) << InferencePrecisionName(c.precision);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PackedProduct,
                         testing::Values(Sizes{1, 64, 64}, Sizes{5, 768, 768}, Sizes{10, 96, 3072},
                                         Sizes{3, 33, 7}, Sizes{17, 512, 130}, Sizes{233, 256, 70},
                                         Sizes{40, 1000, 59}),
                         [](const auto& info) {
                           return std::to_string(info.param.rows) + "x" +
                                  std::to_string(info.param.in) + "x" +
                                  std::to_string(info.param.out);
                         });

TEST(PackedWeights, KeepLeadingDimensionsAndTakeStridedInputs) {
  const at::Tensor weight = at::randn({24, 16}), x = at::randn({3, 16, 5}).transpose(1, 2);
  PackedWeights packed(InferencePrecision::kFloat32, kSmallest);
  const at::Tensor y = Packed(&packed, x, weight, {});
  EXPECT_EQ(y.sizes(), at::IntArrayRef({3, 5, 24}));
  EXPECT_LT(Deviation(y, at::linear(x, weight)), 2e-6);
}

// The activations of each row have their own scale, so a row of large values does not affect other
// rows.
TEST(PackedWeights, RowsInInt8DoNotKnowEachOther) {
  const at::Tensor weight = at::randn({128, 64});
  at::Tensor x = at::randn({6, 64});
  PackedWeights packed(InferencePrecision::kInt8, kSmallest);
  const at::Tensor alone = Packed(&packed, x.narrow(0, 2, 1), weight, {});
  x[3] *= 1e6;
  EXPECT_TRUE(Packed(&packed, x, weight, {})[2].equal(alone[0]));
}

TEST(PackedWeights, ZerosStayZerosInInt8) {
  const at::Tensor weight = at::randn({32, 64}), bias = at::randn({32});
  PackedWeights packed(InferencePrecision::kInt8, kSmallest);
  EXPECT_TRUE(Packed(&packed, at::zeros({1, 64}), weight, bias)[0].equal(bias));
  EXPECT_TRUE(Packed(&packed, at::ones({1, 64}), at::zeros({32, 64}), bias)[0].equal(bias));
}

TEST(PackedWeights, NumbersThatAreNoneStayNone) {
  const at::Tensor weight = at::ones({32, 64});
  for (const InferencePrecision precision :
       {InferencePrecision::kFloat32, InferencePrecision::kBFloat16, InferencePrecision::kInt8}) {
    for (const double bad : {std::nan(""), HUGE_VAL}) {
      PackedWeights packed(precision, kSmallest);
      at::Tensor x = at::ones({2, 64});
      x[1][7] = bad;
      const at::Tensor y = Packed(&packed, x, weight, {});
      EXPECT_TRUE(y[0].isfinite().all().item<bool>()) << InferencePrecisionName(precision);
      EXPECT_FALSE(y[1].isfinite().any().item<bool>()) << InferencePrecisionName(precision);
    }
  }
}

TEST(PackedWeights, UnderInt8WhatBearsSixteenBitsOnlyGetsThem) {
  const at::Tensor weight = at::randn({64, 64}), x = at::randn({4, 64});
  PackedWeights eight(InferencePrecision::kInt8, kSmallest);
  PackedWeights sixteen(InferencePrecision::kBFloat16, kSmallest);
  const at::NoGradGuard no_grad;
  at::Tensor y, expected;
  {
    const PackedWeights::Use use(&eight);
    y = LinearProduct(x, weight, {});
  }
  {
    const PackedWeights::Use use(&sixteen);
    expected = LinearProduct(x, weight, {});
  }
  EXPECT_TRUE(y.equal(expected));
  EXPECT_LT(Deviation(y, at::linear(x, weight)), 1e-2);
}

TEST(PackedWeights, ThatChangedArePackedAgain) {
  at::Tensor weight = at::randn({64, 64});
  const at::Tensor x = at::randn({4, 64});
  PackedWeights packed(InferencePrecision::kFloat32, kSmallest);
  Packed(&packed, x, weight, {});
  weight.mul_(2);
  EXPECT_LT(Deviation(Packed(&packed, x, weight, {}), at::linear(x, weight)), 2e-6);
  weight.set_data(at::randn({64, 64}));
  EXPECT_LT(Deviation(Packed(&packed, x, weight, {}), at::linear(x, weight)), 2e-6);
}

// Memory addresses are reused: a new weight must not use what was packed for an old one.
TEST(PackedWeights, OfFreedTensorsAreNotTakenForNewOnes) {
  const at::Tensor x = at::randn({4, 64});
  PackedWeights packed(InferencePrecision::kFloat32, kSmallest);
  for (int i = 0; i < 50; ++i) {
    const at::Tensor weight = at::randn({64, 64});
    EXPECT_LT(Deviation(Packed(&packed, x, weight, {}), at::linear(x, weight)), 2e-6);
  }
}

TEST(PackedWeights, AreNotUsedWhileGradientsAreRecorded) {
  Linear linear(64, 64);
  const at::Tensor x = at::randn({4, 64});
  PackedWeights packed(InferencePrecision::kInt8, kSmallest);
  const PackedWeights::Use use(&packed);
  const at::Tensor recorded = linear.ForwardInEightBits(x);
  EXPECT_TRUE(recorded.requires_grad());
  recorded.sum().backward();
  EXPECT_TRUE(linear.weight().grad().defined());
  const at::NoGradGuard no_grad;
  const at::Tensor inferred = linear.ForwardInEightBits(x);
  EXPECT_FALSE(inferred.equal(recorded));  // in 8 bits
  EXPECT_LT(Deviation(inferred, recorded), 3e-2);
}

TEST(PackedWeights, SmallOnesInFloat32AreLeftToTheModules) {
  const at::Tensor weight = at::randn({64, 64}), x = at::randn({4, 64});
  PackedWeights packed(InferencePrecision::kFloat32);
  EXPECT_EQ(packed.Find(weight, 4, Tolerance::kSixteenBits), nullptr);
  EXPECT_TRUE(Packed(&packed, x, weight, {}).equal(at::linear(x, weight)));
}

TEST(PackedWeights, GiveTheSameBitsForAnyNumberOfThreads) {
  const at::Tensor weight = at::randn({768, 3072}), x = at::randn({5, 3072});
  const int threads = at::get_num_threads();
  for (const InferencePrecision precision :
       {InferencePrecision::kFloat32, InferencePrecision::kBFloat16, InferencePrecision::kInt8}) {
    PackedWeights packed(precision, kSmallest);
    at::set_num_threads(1);
    const at::Tensor one = Packed(&packed, x, weight, {});
    at::set_num_threads(2);
    EXPECT_TRUE(Packed(&packed, x, weight, {}).equal(one)) << InferencePrecisionName(precision);
    at::set_num_threads(threads);
  }
}

// A weight in a mapped file: packing releases its pages, but its values stay, from the file or as
// changed.
TEST(PackedWeights, OfAFileKeepWhatTheyHold) {
  constexpr int64_t kOut = 300, kIn = 256;
  const at::Tensor stored = at::randn({kOut, kIn});
  const std::string path =
      WriteText(NewFolder() + "/w",
                std::string(static_cast<const char*>(stored.data_ptr()), stored.nbytes()));
  const auto file = *MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite);
  const at::Tensor weight =
      at::from_blob(const_cast<char*>(file->bytes().data()), {kOut, kIn}, at::kFloat);
  const at::Tensor x = at::randn({5, kIn});
  const at::NoGradGuard no_grad;
  PackedWeights packed(InferencePrecision::kFloat32, kSmallest);
  const at::Tensor first = Packed(&packed, x, weight, at::Tensor());
  EXPECT_TRUE(weight.equal(stored));
  weight.narrow(0, 100, 50).mul_(2);
  const at::Tensor changed = weight.clone();
  EXPECT_FALSE(Packed(&packed, x, weight, at::Tensor()).equal(first));
  EXPECT_TRUE(weight.equal(changed));
  EXPECT_TRUE(
      Packed(&packed, x, weight, at::Tensor()).equal(Packed(&packed, x, changed, at::Tensor())));
}

}  // namespace
}  // namespace layers
}  // namespace unival
