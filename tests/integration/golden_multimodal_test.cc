// Networks, connections and backbone together, from pixels and waveforms to logits, against the
// original implementation: all modalities, mixed batches, and every switch away from the base
// configuration.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backbone/model/golden_model.h"
#include "backbone/model/model.h"
#include "sdk/native/modality.h"
#include "sdk/testing/golden.h"
#include "tests/integration/golden_towers.h"

namespace unival {
namespace {

constexpr double kTolerance = 2e-5;

TensorMap Golden(const std::string& file) {
  auto tensors = LoadSafetensors("tests/golden/tiny/" + file + ".safetensors");
  EXPECT_TRUE(tensors.ok()) << tensors.status();
  return tensors.ok() ? *tensors : TensorMap();
}

// Filling the networks takes longer than all else: tests share them.
GoldenTowers& SharedTowers(uint64_t seed, int image_stages = 4) {
  static auto* const towers = new std::map<std::pair<uint64_t, int>, GoldenTowers>();
  GoldenTowersOptions options;
  options.seed = seed;
  options.image_blocks.assign(image_stages, 1);
  return towers->try_emplace({seed, image_stages}, options).first->second;
}

ModalityFeatures Row(const ModalityFeatures& features, int64_t row) {
  return {features.values.slice(0, row, row + 1), {}, features.positions.slice(0, row, row + 1)};
}

// Compares encoder output, positions and logits with a case's tensors; `rows` empty compares all.
void ExpectGolden(UnivalModel& model, const std::vector<ModalitySegment>& segments,
                  const TensorMap& golden, const std::string& name,
                  const std::vector<int64_t>& rows = {}) {
  const auto tensor = [&](const std::string& field) { return golden.at(name + "/" + field); };
  const EncoderOutput encoded =
      model.Encode({segments, tensor("src_tokens")}, /*keep_hidden=*/true);
  std::vector<at::Tensor> hidden;
  DecodeOptions options;
  options.hidden = &hidden;
  const at::Tensor logits = model.Decode(encoded, tensor("prev_output_tokens"), options);
  const auto compare = [&](const at::Tensor& actual, const std::string& field) {
    const at::Tensor expected = tensor(field);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name << " " << field;
    if (rows.empty()) {
      EXPECT_LT(MaxDifference(actual, expected), kTolerance) << name << " " << field;
    }
    for (const int64_t row : rows) {
      EXPECT_LT(MaxDifference(actual[row], expected[row]), kTolerance) << name << " " << field;
    }
  };
  EXPECT_TRUE(encoded.padding.equal(tensor("encoder_padding_mask"))) << name;
  compare(encoded.states, "encoder_out");
  compare(encoded.position_embeddings, "position_embeddings");
  compare(logits, "logits");
  if (golden.count(name + "/encoder_state.0") == 0) return;
  for (size_t i = 0; i < encoded.hidden.size(); ++i) {
    compare(encoded.hidden[i], "encoder_state." + std::to_string(i));
  }
  for (size_t i = 0; i < hidden.size(); ++i)
    compare(hidden[i], "decoder_state." + std::to_string(i));
}

class GoldenMultimodal : public ::testing::Test {
 protected:
  static at::Tensor Input(const std::string& name, const std::vector<int64_t>& shape,
                          double amplitude = 1, uint64_t seed = 12) {
    return GoldenInput("input." + name, seed, shape, amplitude);
  }
  at::NoGradGuard no_grad_;
};

TEST_F(GoldenMultimodal, ImagesOfAnyShape) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  GoldenTowers& towers = SharedTowers(1);
  const auto check = [&](const std::string& name, const std::vector<int64_t>& shape,
                         const std::vector<int64_t>& rows) {
    const ModalityFeatures all = towers.Encode("image", Input(name + ".patch_images", shape));
    const int64_t count = rows.size();
    const ModalityFeatures used{
        all.values.slice(0, 0, count), {}, all.positions.slice(0, 0, count)};
    ExpectGolden(*model, {{"image", rows, used}}, golden, name);
  };
  check("image_160x288_types", {1, 3, 160, 288}, {0});
  check("image_384", {2, 3, 384, 384}, {0, 1});
  check("image_100x70_odd", {1, 3, 100, 70}, {0});
}

// Hidden states at the masked image differ: the original embeds it and zeroes it once; here the row
// has no image at all.
TEST_F(GoldenMultimodal, ImageMaskedInOneRow) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  GoldenTowers& towers = SharedTowers(1);
  const ModalityFeatures all =
      towers.Encode("image", Input("image_224_mask.patch_images", {2, 3, 224, 224}));
  ExpectGolden(*model, {{"image", {0}, Row(all, 0)}}, golden, "image_224_mask");
  // The same, told by the padding mask instead of by absence.
  ModalityFeatures masked = all;
  masked.padding = at::zeros({2, 49}, at::kBool);
  masked.padding[1].fill_(true);
  ExpectGolden(*model, {{"image", {0, 1}, masked}}, golden, "image_224_mask", {0});
}

TEST_F(GoldenMultimodal, VideoOfOneAndOfTwoSlices) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  GoldenTowers& towers = SharedTowers(1);
  const auto check = [&](const std::string& name, const std::vector<int64_t>& shape,
                         const std::vector<int64_t>& rows) {
    const ModalityFeatures features = towers.Encode("video", Input(name + ".patch_videos", shape));
    ExpectGolden(*model, {{"video", rows, features}}, golden, name);
  };
  check("video_8x96x96", {2, 3, 8, 96, 96}, {0, 1});
  check("video_20x64x96", {1, 3, 20, 64, 96}, {0});
}

TEST_F(GoldenMultimodal, AudioFoldedIntoASquare) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  GoldenTowers& towers = SharedTowers(1);
  const at::Tensor waves = Input("audio_48000.patch_audios", {2, 48000}, 0.5);
  ExpectGolden(*model, {{"audio", {0, 1}, towers.Encode("audio", waves)}}, golden, "audio_48000");
}

TEST_F(GoldenMultimodal, VideoAndAudioInOneBatch) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  GoldenTowers& towers = SharedTowers(1);
  const std::string name = "mixed_video_audio";
  const ModalityFeatures video =
      towers.Encode("video", Input(name + ".patch_videos", {2, 3, 8, 64, 64}));
  const ModalityFeatures audio =
      towers.Encode("audio", Input(name + ".patch_audios", {2, 9600}, 0.5));
  ExpectGolden(*model, {{"video", {0}, Row(video, 0)}, {"audio", {1}, Row(audio, 1)}}, golden,
               name);
}

// The original encodes the video row from its zero image. Here it is the video, and equals that row
// alone.
TEST_F(GoldenMultimodal, ImageAndVideoInOneBatchIsExactWhereTheOriginalIsNot) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  GoldenTowers& towers = SharedTowers(1);
  const std::string name = "mixed_image_video_QUIRK";
  const ModalityFeatures image =
      towers.Encode("image", Input(name + ".patch_images", {2, 3, 64, 64}));
  const ModalityFeatures video =
      towers.Encode("video", Input(name + ".patch_videos", {2, 3, 8, 64, 64}));
  const std::vector<ModalitySegment> segments = {{"image", {0}, Row(image, 0)},
                                                 {"video", {1}, Row(video, 1)}};
  ExpectGolden(*model, segments, golden, name, {0});
  const at::Tensor source = golden.at(name + "/src_tokens");
  const at::Tensor targets = golden.at(name + "/prev_output_tokens").slice(0, 1);
  const ModelInput batch{segments, source};
  const ModelInput alone{{{"video", {0}, Row(video, 1)}}, source.slice(0, 1)};
  const EncoderOutput encoded = model->Encode(batch);
  EncoderOutput second;
  second.states = encoded.states.slice(0, 1);
  second.padding = encoded.padding.slice(0, 1);
  second.position_embeddings = encoded.position_embeddings.slice(0, 1);
  EXPECT_LT(
      MaxDifference(model->Decode(second, targets), model->Decode(model->Encode(alone), targets)),
      kTolerance);
}

struct Variant {
  std::string name, overrides;
  bool layernorm_features = false;
  bool per_modality_type_rows = false;
  int image_stages = 4;
  std::vector<int64_t> size = {96, 128};
};

TEST_F(GoldenMultimodal, EverySwitchAwayFromTheBase) {
  const TensorMap golden = Golden("variants");
  const std::vector<Variant> variants = {
      {"scale_resids", R"({"scale_resids": true})"},
      {"qk_norm", R"({"qk_norm": true})"},
      {"mm_type_embedding", R"({"add_mm_type_embedding": true})", false, true},
      {"entangle_enc_dec", R"({"entangle_position_embedding": true, "disable_entangle": false})"},
      {"decoder_entangle_default", R"({"disable_entangle": false})"},
      {"ln_image_embedding", "{}", true},
      {"interpolate_position",
       R"({"interpolate_position": true, "orig_patch_image_size": 64})",
       false,
       false,
       4,
       {192, 160}},
      {"no_scale_attn_fc_heads",
       R"({"scale_attn": false, "scale_fc": false, "scale_heads": false})"},
      {"post_norm", R"({"encoder_normalize_before": false, "decoder_normalize_before": false})"},
      {"scaled_embedding", R"({"no_scale_embedding": false})"},
      {"image_encoder_resnet3stage", "{}", false, false, 3},
  };
  for (const Variant& variant : variants) {
    GoldenModelOptions options;
    options.seed = 3;
    options.modalities = {"image"};
    options.layernorm_features = variant.layernorm_features;
    options.per_modality_type_rows = variant.per_modality_type_rows;
    if (variant.image_stages == 3) options.feature_dims = {1024};
    const auto model = GoldenModel(GoldenConfig(variant.overrides), options);
    GoldenTowers& towers = SharedTowers(3, variant.image_stages);
    const at::Tensor images = Input(variant.name + ".patch_images",
                                    {2, 3, variant.size[0], variant.size[1]}, 1, /*seed=*/13);
    ExpectGolden(*model, {{"image", {0, 1}, towers.Encode("image", images)}}, golden, variant.name);
  }
}

// The second image stands first and has a type row of its own.
TEST_F(GoldenMultimodal, TwoImagesInOneRow) {
  const TensorMap golden = Golden("variants");
  GoldenModelOptions options;
  options.seed = 3;
  options.modalities = {"image"};
  options.per_modality_type_rows = true;
  const auto model = GoldenModel(GoldenConfig(R"({"add_mm_type_embedding": true})"), options);
  GoldenTowers& towers = SharedTowers(3);
  const std::string name = "two_images_mm_type";
  const auto features = [&](const std::string& field) {
    return towers.Encode("image", Input(name + "." + field, {2, 3, 96, 128}, 1, /*seed=*/13));
  };
  ModalitySegment second{"image", {0, 1}, features("patch_images_2")};
  second.type_row = 2;
  const ModalitySegment first{"image", {0, 1}, features("patch_images")};
  ExpectGolden(*model, {second, first}, golden, name);
}

}  // namespace
}  // namespace unival
