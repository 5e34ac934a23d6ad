// Intended differences from the original implementation: batches with several modalities are exact,
// and a masked image is the same as no image.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdk/testing/golden.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/reference_model.h"

namespace unival {
namespace {

using parity::Fixture;
using parity::ReferenceModel;

constexpr double kTolerance = 2e-5;

class MixedBatches : public ::testing::Test {
 protected:
  void SetUp() override {
    auto fixture = Fixture::Open("tests/golden");
    ASSERT_TRUE(fixture.ok()) << fixture.status();
    fixture_ = *std::move(fixture);
    auto model = ReferenceModel::Create(*fixture_, {"tiny"});
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
  }

  at::Tensor Golden(const std::string& name) const {
    return (*fixture_->Tensors("tiny/multimodal.safetensors"))->at(name);
  }
  ModalityFeatures Features(const std::string& modality, const std::string& input,
                            const std::vector<int64_t>& shape) {
    return model_->Features(modality, GoldenInput("input." + input, 12, shape, 1));
  }
  at::Tensor Logits(const std::vector<ModalitySegment>& segments, const at::Tensor& source,
                    const at::Tensor& previous) {
    Backbone& backbone = model_->backbone();
    return backbone.Decode(backbone.Encode({segments, source}), previous);
  }

  at::NoGradGuard no_grad_;
  std::unique_ptr<Fixture> fixture_;
  std::unique_ptr<ReferenceModel> model_;
};

ModalityFeatures Row(const ModalityFeatures& features, int64_t row) {
  return {features.values.slice(0, row, row + 1), {}, features.positions.slice(0, row, row + 1)};
}

TEST_F(MixedBatches, MaskedImageIsTheSameAsNone) {
  const std::string name = "image_224_mask/";
  const ModalityFeatures all = Features("image", "image_224_mask.patch_images", {2, 3, 224, 224});
  ModalityFeatures masked = all;
  masked.padding = at::zeros({2, 49}, at::kBool);
  masked.padding[1].fill_(true);
  const at::Tensor source = Golden(name + "src_tokens");
  const at::Tensor previous = Golden(name + "prev_output_tokens");
  const at::Tensor expected = Golden(name + "logits");
  EXPECT_LT(MaxDifference(Logits({{"image", {0, 1}, masked}}, source, previous), expected),
            kTolerance);
  EXPECT_LT(MaxDifference(Logits({{"image", {0}, Row(all, 0)}}, source, previous), expected),
            kTolerance);
}

// The original encodes the zero image of the video row. Here the video is encoded, and the result
// equals the row alone.
TEST_F(MixedBatches, ImageAndVideoInOneBatchAreExactWhereTheOriginalIsNot) {
  const std::string name = "mixed_image_video_QUIRK";
  const ModalityFeatures image = Features("image", name + ".patch_images", {2, 3, 64, 64});
  const ModalityFeatures video = Features("video", name + ".patch_videos", {2, 3, 8, 64, 64});
  const at::Tensor source = Golden(name + "/src_tokens");
  const at::Tensor previous = Golden(name + "/prev_output_tokens");
  const at::Tensor logits =
      Logits({{"image", {0}, Row(image, 0)}, {"video", {1}, Row(video, 1)}}, source, previous);
  const at::Tensor expected = Golden(name + "/logits");
  EXPECT_LT(MaxDifference(logits[0], expected[0]), kTolerance);
  EXPECT_GT(MaxDifference(logits[1], expected[1]), kTolerance);
  const at::Tensor alone =
      Logits({{"video", {0}, Row(video, 1)}}, source.slice(0, 1), previous.slice(0, 1));
  EXPECT_LT(MaxDifference(logits.slice(0, 1), alone), kTolerance);
}

}  // namespace
}  // namespace unival
