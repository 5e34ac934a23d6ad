#include "sdk/testing/golden.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

TEST(Golden, WeightsFollowTheFormula) {
  at::Tensor embedding = at::empty({116, 64});
  FillTensorByFormula("decoder.output_projection.weight", 1, embedding);
  EXPECT_FLOAT_EQ(embedding[0][0].item<float>(), -0.150110453f);
  EXPECT_FLOAT_EQ(embedding[0][3].item<float>(), -0.150997728f);
  EXPECT_FLOAT_EQ(embedding[115][63].item<float>(), 0.196150512f);

  at::Tensor convolution = at::empty({64, 1, 5, 5});
  FillTensorByFormula("encoder.embed_audios.conv_block1.conv1.weight", 1, convolution);
  EXPECT_FLOAT_EQ(convolution[0][0][0][0].item<float>(), -0.381608248f);
  EXPECT_FLOAT_EQ(convolution[63][0][4][4].item<float>(), -0.444193572f);

  at::Tensor variance = at::empty({64});
  FillTensorByFormula("encoder.embed_images.bn1.running_var", 1, variance);
  EXPECT_FLOAT_EQ(variance[1].item<float>(), 1.19393337f);
}

TEST(Golden, InputsFollowTheFormula) {
  at::Tensor input = GoldenInput("input.image_224_mask.patch_images", 12, {1, 3, 224, 224}, 1);
  EXPECT_FLOAT_EQ(input.flatten()[0].item<float>(), -0.000523112481f);
  EXPECT_FLOAT_EQ(input.flatten()[2].item<float>(), -0.594262421f);
}

TEST(Golden, ReadsSafetensors) {
  absl::StatusOr<TensorMap> tensors =
      LoadSafetensors("tests/golden/tiny/torchlibrosa_constants.safetensors");
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  EXPECT_EQ(tensors->at("melW").sizes(), at::IntArrayRef({513, 64}));
  EXPECT_EQ(LoadSafetensors("tests/golden/none.safetensors").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Golden, DifferenceOfUnlikeShapesIsInfinite) {
  EXPECT_GT(MaxDifference(at::zeros({2}), at::zeros({3})), 1e300);
  EXPECT_EQ(MaxDifference(at::ones({2}), at::zeros({2})), 1);
}

}  // namespace
}  // namespace unival
