#include "modalities/networks/networks.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "modalities/audio/log_mel.h"
#include "modalities/networks/bottleneck.h"
#include "modalities/networks/pann.h"
#include "sdk/base/test_files.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

const TensorMap& Golden() {
  static const auto* const kGolden =
      new TensorMap(LoadSafetensors("tests/golden/tiny/encoders.safetensors").value());
  return *kGolden;
}

// Largest difference divided by the expected tensor's largest value.
double RelativeDifference(const at::Tensor& actual, const at::Tensor& expected) {
  return MaxDifference(actual, expected) / expected.abs().max().item<double>();
}

std::shared_ptr<FeatureEncoder> Make(const EncoderConfig& config, const std::string& prefix = "") {
  absl::StatusOr<std::shared_ptr<FeatureEncoder>> encoder = MakeFeatureEncoder(config);
  EXPECT_TRUE(encoder.ok()) << encoder.status();
  (*encoder)->eval();
  if (!prefix.empty()) FillByFormula(**encoder, prefix, 1);
  return *encoder;
}

// [B, 1, frames, 64] decibels of waveforms [B, n] by the reference's front end.
at::Tensor LogMelOf(const at::Tensor& waves, int hop) {
  LogMel config;
  config.set_window(1024);
  config.set_hop(hop);
  config.set_mel_bins(64);
  config.set_min_hz(50);
  config.set_max_hz(14000);
  const auto front_end = LogMelSpectrogram::Create(config, 48000).value();
  at::Tensor decibels = at::empty({waves.size(0), 1, front_end->frames(waves.size(1)), 64});
  for (int64_t row = 0; row < waves.size(0); ++row) {
    front_end->Compute({waves[row].data_ptr<float>(), static_cast<size_t>(waves.size(1))},
                       decibels[row].data_ptr<float>());
  }
  return decibels;
}

TEST(Encoders, ResnetEqualsTheReference) {
  at::NoGradGuard no_grad;
  EncoderConfig config;
  for (int i = 0; i < 4; ++i) config.mutable_resnet()->add_blocks(1);
  config.mutable_resnet()->set_unused_classes(10);
  const auto encoder = Make(config, "encoder.embed_images.");
  const at::Tensor input = GoldenInput("input.image_96x64.x", 31, {2, 3, 96, 64}, 1);
  EXPECT_LT(RelativeDifference(dynamic_cast<ResidualEncoder&>(*encoder).Stem(input),
                               Golden().at("image_96x64/stem")),
            1e-4);
  EXPECT_LT(RelativeDifference(encoder->forward(input), Golden().at("image_96x64/trunk")), 1e-4);
  EXPECT_EQ(encoder->feature_dim(), 2048);
}

TEST(Encoders, Resnext3dEqualsTheReference) {
  at::NoGradGuard no_grad;
  EncoderConfig config;
  for (int i = 0; i < 4; ++i) config.mutable_resnext3d()->add_blocks(1);
  const auto encoder = Make(config, "encoder.embed_videos.");
  const at::Tensor input = GoldenInput("input.video_8x64x96.x", 31, {1, 3, 8, 64, 96}, 1);
  EXPECT_LT(RelativeDifference(encoder->forward(input), Golden().at("video_8x64x96/trunk")), 1e-4);
  EncoderInput video;
  video.kind = EncoderInput::Kind::kFrames;
  video.frames = 8;
  video.height = 64;
  video.width = 96;
  EXPECT_EQ(encoder->InputShape(video), std::vector<int64_t>({3, 8, 64, 96}));
}

TEST(Encoders, PannEqualsTheReferenceFromTheWaveform) {
  at::NoGradGuard no_grad;
  EncoderConfig config;
  config.mutable_pann()->set_layers(6);
  config.mutable_pann()->set_unused_classes(527);
  const auto encoder = Make(config, "encoder.embed_audios.");
  LogMel log_mel;
  log_mel.set_window(1024);
  log_mel.set_hop(480);
  log_mel.set_mel_bins(64);
  log_mel.set_min_hz(50);
  log_mel.set_max_hz(14000);
  const auto front_end = LogMelSpectrogram::Create(log_mel, 48000).value();
  const at::Tensor waves = GoldenInput("input.audio_24000.x", 31, {2, 24000}, 0.5);
  at::Tensor decibels = at::empty({2, 1, 51, 64}), power = at::empty({2, 1, 51, 64});
  ASSERT_EQ(front_end->frames(24000), 51);
  for (int row = 0; row < 2; ++row) {
    const absl::Span<const float> wave(waves[row].data_ptr<float>(), 24000);
    front_end->Compute(wave, decibels[row].data_ptr<float>());
    std::vector<float> spectrum = front_end->PowerSpectrum(wave);
    power[row][0].copy_(at::from_blob(spectrum.data(), {51, 513}, at::kFloat).slice(1, 0, 64));
  }
  EXPECT_LT(RelativeDifference(power, Golden().at("audio_24000/spectrogram_f0_63")), 1e-4);
  EXPECT_LT(MaxDifference(decibels, Golden().at("audio_24000/logmel")), 1e-3);
  auto& pann = dynamic_cast<Pann&>(*encoder);
  const at::Tensor normed = pann.InputNorm(decibels);
  EXPECT_LT(RelativeDifference(normed, Golden().at("audio_24000/bn0")), 1e-4);
  const at::Tensor block = pann.Block(0, normed);
  EXPECT_LT(RelativeDifference(block.slice(1, 0, 8), Golden().at("audio_24000/block1")), 1e-4);
  EXPECT_LT(RelativeDifference(encoder->forward(decibels), Golden().at("audio_24000/trunk")), 1e-4);
}

TEST(Encoders, AnExplicitZeroOfPannsLowestFrequencyIsNotTheDefault) {
  const auto filters = [](const EncoderConfig& config) {
    return Make(config)->named_buffers()["logmel_extractor.melW"].clone();
  };
  EncoderConfig config;
  config.mutable_pann()->set_layers(6);
  const at::Tensor by_default = filters(config);
  config.mutable_pann()->mutable_front_end()->set_min_hz(50);
  EXPECT_EQ(MaxDifference(by_default, filters(config)), 0);
  config.mutable_pann()->mutable_front_end()->set_min_hz(0);
  EXPECT_GT(MaxDifference(by_default, filters(config)), 0);
}

TEST(Encoders, PannKeepsTheReferencesSpectrogramConstants) {
  EncoderConfig config;
  config.mutable_pann()->set_layers(6);
  const auto buffers = Make(config)->named_buffers();
  const TensorMap golden =
      LoadSafetensors("tests/golden/tiny/torchlibrosa_constants.safetensors").value();
  EXPECT_LT(MaxDifference(*buffers.find("logmel_extractor.melW"), golden.at("melW")), 1e-8);
  const at::Tensor rows = at::tensor({0, 1, 100, 512}, at::kLong);
  for (const char* part : {"real", "imag"}) {
    const at::Tensor kernels =
        *buffers.find(std::string("spectrogram_extractor.stft.conv_") + part + ".weight");
    EXPECT_LT(MaxDifference(kernels.index_select(0, rows).squeeze(1),
                            golden.at(std::string("stft_conv_") + part + "_rows_0_1_100_512")),
              1e-6);
  }
}

TEST(Encoders, TensorsHaveTheReferencesNamesAndShapes) {
  const nlohmann::json manifest =
      nlohmann::json::parse(ReadText("tests/golden/tiny/manifest.json"));
  std::map<std::string, EncoderConfig> configs;
  EncoderConfig& image = configs["encoder.embed_images."];
  EncoderConfig& video = configs["encoder.embed_videos."];
  for (int i = 0; i < 4; ++i) image.mutable_resnet()->add_blocks(1);
  for (int i = 0; i < 4; ++i) video.mutable_resnext3d()->add_blocks(1);
  image.mutable_resnet()->set_unused_classes(10);
  PannEncoder& audio = *configs["encoder.embed_audios."].mutable_pann();
  audio.set_layers(6);
  audio.set_unused_classes(527);
  for (const auto& [prefix, config] : configs) {
    std::map<std::string, std::vector<int64_t>> expected, actual;
    for (const nlohmann::json& entry : manifest.at("entries")) {
      const std::string name = entry.at("name");
      if (absl::StartsWith(name, prefix))
        expected[name] = entry.at("shape").get<std::vector<int64_t>>();
    }
    const auto encoder = Make(config);
    for (const auto& item : encoder->named_parameters()) {
      actual[prefix + item.key()] = item.value().sizes().vec();
    }
    for (const auto& item : encoder->named_buffers()) {
      actual[prefix + item.key()] = item.value().sizes().vec();
    }
    EXPECT_EQ(actual, expected) << prefix;
  }
}

TEST(Encoders, Cnn14HasTheReferencesShape) {
  at::NoGradGuard no_grad;
  EncoderConfig config;
  config.mutable_pann()->set_layers(14);
  const auto encoder = Make(config);
  EXPECT_EQ(encoder->forward(at::randn({1, 1, 67, 64})).sizes(), at::IntArrayRef({1, 2048, 2, 2}));
  EXPECT_NE(encoder->named_parameters().find("conv_block6.conv2.weight"), nullptr);
}

TEST(Encoders, SmallCnnFeaturesAreNormalisedAndTrainable) {
  at::manual_seed(3);
  EncoderConfig config;
  SmallCnnEncoder& cnn = *config.mutable_small_cnn();
  cnn.add_widths(16);
  cnn.add_widths(24);
  cnn.add_widths(32);
  cnn.set_refinements(1);
  cnn.set_coordinate_channels(true);
  const auto encoder = Make(config);
  encoder->train();
  const at::Tensor features = encoder->forward(at::randn({2, 3, 64, 48}));
  ASSERT_EQ(features.sizes(), at::IntArrayRef({2, 32, 8, 6}));
  EXPECT_LT(features.mean(1).abs().max().item<float>(), 1e-5);
  EXPECT_NEAR(features.var(1, false).mean().item<float>(), 1, 1e-2);
  features.square().sum().backward();
  for (const auto& item : encoder->named_parameters()) {
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST(Encoders, SmallCnnFoldsFrequencyIntoChannels) {
  at::NoGradGuard no_grad;
  EncoderConfig config;
  SmallCnnEncoder& cnn = *config.mutable_small_cnn();
  cnn.set_in_channels(1);
  cnn.add_widths(8);
  cnn.add_widths(16);
  cnn.set_flatten_height(true);
  EXPECT_FALSE(MakeFeatureEncoder(config).ok());
  cnn.set_spectrogram_bins(40);
  EXPECT_EQ(Make(config)->forward(at::randn({3, 1, 101, 40})).sizes(),
            at::IntArrayRef({3, 16, 26, 1}));
}

TEST(Encoders, RowsOfABatchAreIndependentInEvaluation) {
  at::NoGradGuard no_grad;
  at::manual_seed(5);
  EncoderConfig config;
  config.mutable_small_cnn()->add_widths(16);
  config.mutable_small_cnn()->set_refinements(2);
  const auto encoder = Make(config);
  const at::Tensor input = at::randn({4, 3, 32, 32});
  EXPECT_LT(MaxDifference(encoder->forward(input)[2], encoder->forward(input.slice(0, 2, 3))[0]),
            1e-5);
}

TEST(Encoders, PatchesKeepEveryPixelInOrder) {
  EncoderConfig config;
  config.mutable_patches()->set_height(2);
  config.mutable_patches()->set_width(4);
  config.mutable_patches()->set_in_channels(1);
  const auto encoder = Make(config);
  const at::Tensor input = at::arange(32, at::kFloat).view({1, 1, 4, 8});
  const at::Tensor features = encoder->forward(input);
  ASSERT_EQ(features.sizes(), at::IntArrayRef({1, 8, 2, 2}));
  const at::Tensor patch = at::tensor({20, 21, 22, 23, 28, 29, 30, 31}, at::kFloat);
  EXPECT_LT(MaxDifference(features.select(2, 1).select(2, 1)[0],
                          patch / (patch.square().mean() + 1).sqrt()),
            1e-6);
  EXPECT_THROW(encoder->forward(at::zeros({1, 1, 5, 8})), c10::Error);
}

TEST(Encoders, FeatureGridForetellsTheShape) {
  at::NoGradGuard no_grad;
  std::vector<std::pair<EncoderConfig, std::vector<int64_t>>> cases(5);
  cases[0].first.mutable_small_cnn()->add_widths(4);
  cases[0].first.mutable_small_cnn()->add_widths(4);
  cases[0].second = {3, 45, 31};
  for (int i = 0; i < 3; ++i) cases[1].first.mutable_resnet()->add_blocks(1);
  cases[1].second = {3, 70, 100};
  for (int i = 0; i < 4; ++i) cases[2].first.mutable_resnext3d()->add_blocks(1);
  cases[2].second = {3, 17, 40, 33};
  cases[3].first.mutable_pann()->set_layers(6);
  cases[3].second = {1, 51, 64};
  cases[4].first.mutable_patches()->set_height(5);
  cases[4].first.mutable_patches()->set_width(4);
  cases[4].second = {3, 10, 8};
  for (const auto& [config, shape] : cases) {
    std::vector<int64_t> batch = shape;
    batch.insert(batch.begin(), 1);
    const auto encoder = Make(config);
    const auto grid = encoder->FeatureGrid(shape);
    ASSERT_TRUE(grid.ok()) << grid.status();
    EXPECT_EQ(encoder->forward(at::zeros(batch)).sizes().slice(2), at::IntArrayRef(*grid))
        << encoder->feature_name();
  }
  EXPECT_FALSE(Make(cases[4].first)->FeatureGrid({3, 11, 8}).ok());
  EXPECT_FALSE(Make(cases[3].first)->FeatureGrid({1, 15, 64}).ok());
  EXPECT_FALSE(Make(cases[0].first)->FeatureGrid({1, 15, 64}).ok());
}

TEST(Encoders, ErrorsNameTheField) {
  struct Case {
    const char* field;
    void (*spoil)(EncoderConfig*);
  };
  const Case cases[] = {
      {"none is set", [](EncoderConfig*) {}},
      {"resnet.blocks", [](EncoderConfig* c) { c->mutable_resnet(); }},
      {"resnet.widths",
       [](EncoderConfig* c) {
         c->mutable_resnet()->add_blocks(1);
         c->mutable_resnet()->add_blocks(1);
         c->mutable_resnet()->add_widths(8);
       }},
      {"resnext3d.cardinality",
       [](EncoderConfig* c) {
         c->mutable_resnext3d()->add_blocks(1);
         c->mutable_resnext3d()->set_cardinality(7);
       }},
      {"pann.layers", [](EncoderConfig* c) { c->mutable_pann()->set_layers(10); }},
      {"small_cnn.widths", [](EncoderConfig* c) { c->mutable_small_cnn(); }},
      {"small_cnn.widths", [](EncoderConfig* c) { c->mutable_small_cnn()->add_widths(-3); }},
      {"patches.width", [](EncoderConfig* c) { c->mutable_patches()->set_height(4); }},
  };
  for (const Case& test : cases) {
    EncoderConfig config;
    test.spoil(&config);
    const absl::Status status = MakeFeatureEncoder(config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.field;
    EXPECT_TRUE(absl::StrContains(status.message(), test.field)) << status;
  }
}

// The full sizes take minutes on a busy machine, so they are separate from the quick tests.
class BaseEncoders : public ::testing::Test {
 protected:
  at::NoGradGuard no_grad_;
  const TensorMap golden_ =
      LoadSafetensors("tests/golden/base_encoders/encoders.safetensors").value();
};

TEST_F(BaseEncoders, Resnet101EqualsTheReference) {
  EncoderConfig config;
  for (int blocks : {3, 4, 23, 3}) config.mutable_resnet()->add_blocks(blocks);
  const at::Tensor input = GoldenInput("input.enc_image_128.x", 41, {1, 3, 128, 128}, 1);
  EXPECT_LT(RelativeDifference(Make(config, "encoder.embed_images.")->forward(input),
                               golden_.at("enc_image_128/trunk")),
            1e-4);
}

TEST_F(BaseEncoders, Resnext101EqualsTheReference) {
  EncoderConfig config;
  for (int blocks : {3, 4, 23, 3}) config.mutable_resnext3d()->add_blocks(blocks);
  const at::Tensor input = GoldenInput("input.enc_video_8x64x64.x", 41, {1, 3, 8, 64, 64}, 1);
  EXPECT_LT(RelativeDifference(Make(config, "encoder.embed_videos.")->forward(input),
                               golden_.at("enc_video_8x64x64/trunk")),
            1e-4);
}

TEST_F(BaseEncoders, Cnn14EqualsTheReference) {
  EncoderConfig config;
  config.mutable_pann()->set_layers(14);
  const at::Tensor input = GoldenInput("input.enc_audio_32000.x", 41, {1, 32000}, 0.5);
  const at::Tensor decibels = LogMelOf(input, 200);
  EXPECT_LT(MaxDifference(decibels, golden_.at("enc_audio_32000/logmel")), 1e-3);
  EXPECT_LT(RelativeDifference(Make(config, "encoder.embed_audios.")->forward(decibels),
                               golden_.at("enc_audio_32000/trunk")),
            1e-4);
}

}  // namespace
}  // namespace unival
