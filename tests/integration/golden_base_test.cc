// The published size (330 million parameters with all networks) from pixels and waveforms to logits
// against the original implementation. The tensors are not part of this repository: UNIVAL_SHARED
// names the folder that has golden/base.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "backbone/model/golden_model.h"
#include "backbone/model/model.h"
#include "backbone/model/model_config.h"
#include "sdk/testing/golden.h"
#include "tests/integration/golden_towers.h"

namespace unival {
namespace {

constexpr int64_t kBaseVocabulary = 59457;
constexpr double kTolerance = 5e-5;

class GoldenBase : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("UNIVAL_SHARED");
    ASSERT_NE(shared, nullptr) << "set UNIVAL_SHARED: bazel test --test_env=UNIVAL_SHARED=FOLDER";
    const std::string folder = std::string(shared) + "/golden/base/";
    std::ifstream file(folder + "config.json");
    const std::string json((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    const auto config = ReferenceConfig(json);
    ASSERT_TRUE(config.ok()) << folder << ": " << config.status();
    GoldenModelOptions options;
    options.vocabulary_size = kBaseVocabulary;
    options.feature_dims = {2048, 2048, 2048};
    model_ = GoldenModel(*config, options);
    auto golden = LoadSafetensors(folder + "forward.safetensors");
    ASSERT_TRUE(golden.ok()) << golden.status();
    golden_ = *golden;
  }

  // The case's encoder output and logits, given the modality that comes before its text ("" for
  // none).
  void Check(const std::string& name, const std::string& modality, const at::Tensor& media) {
    ModelInput input{{}, golden_.at(name + "/src_tokens")};
    if (!modality.empty())
      input.segments.push_back({modality, {0}, towers_.Encode(modality, media)});
    const EncoderOutput encoded = model_->Encode(input);
    const at::Tensor logits = model_->Decode(encoded, golden_.at(name + "/prev_output_tokens"));
    const auto compare = [&](const at::Tensor& actual, const std::string& field) {
      EXPECT_LT(MaxDifference(actual, golden_.at(name + "/" + field)), kTolerance)
          << name << " " << field;
    };
    compare(encoded.states, "encoder_out");
    compare(encoded.position_embeddings, "position_embeddings");
    compare(logits.select(1, -1), "logits_last");
    compare(logits.slice(2, 0, kBaseVocabulary, 97), "logits_every97");
  }

  static at::Tensor Input(const std::string& name, const std::vector<int64_t>& shape,
                          double amplitude) {
    return GoldenInput("input." + name, /*seed=*/41, shape, amplitude);
  }

  at::NoGradGuard no_grad_;
  std::shared_ptr<UnivalModel> model_;
  TensorMap golden_;
  GoldenTowers towers_{
      {/*seed=*/1, {3, 4, 23, 3}, {3, 4, 23, 3}, /*audio_layers=*/14, /*hop=*/200}};
};

TEST_F(GoldenBase, EveryModalityEqualsTheReference) {
  Check("text", "", {});
  Check("image_384", "image", Input("image_384.patch_images", {1, 3, 384, 384}, 1));
  Check("video_8x224x224", "video", Input("video_8x224x224.patch_videos", {1, 3, 8, 224, 224}, 1));
  Check("audio_96000", "audio", Input("audio_96000.patch_audios", {1, 96000}, 0.5));
}

}  // namespace
}  // namespace unival
