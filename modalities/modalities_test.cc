#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "modalities/audio/waveform.h"
#include "modalities/builtin.h"
#include "modalities/image/resize.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/networks/networks.h"
#include "modalities/video/frame_selection.h"
#include "sdk/base/test_files.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

constexpr char kPreprocess[] = "tests/golden/preprocess/";

const TensorMap& Images() {
  static const auto* const kImages =
      new TensorMap(LoadSafetensors(std::string(kPreprocess) + "images.safetensors").value());
  return *kImages;
}

nlohmann::json ReadJson(const std::string& name) {
  return nlohmann::json::parse(ReadText(kPreprocess + name));
}

MediaSource FileMedia(const std::string& name) {
  MediaSource media;
  media.path = "tests/golden/media/" + name;
  return media;
}

MediaSource BytesMedia(std::string bytes) {
  MediaSource media;
  media.name = "clip";
  media.bytes = std::make_shared<const std::string>(std::move(bytes));
  return media;
}

absl::Span<const uint8_t> Pixels(const at::Tensor& tensor) {
  return {tensor.data_ptr<uint8_t>(), static_cast<size_t>(tensor.numel())};
}

std::vector<float> Floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

at::Tensor AsTensor(const std::vector<float>& values) {
  return at::from_blob(const_cast<float*>(values.data()), {static_cast<int64_t>(values.size())},
                       at::kFloat)
      .clone();
}

class ModalitiesTest : public ::testing::Test {
 protected:
  ModalitiesTest() {
    EXPECT_TRUE(RegisterBuiltinModalities(registry_).ok());
    at::manual_seed(1);
  }

  absl::StatusOr<std::unique_ptr<Modality>> Create(const ModalityConfig& config) {
    return registry_.CreateModality(config, HostServices{media_.get(), &MakeFeatureEncoder});
  }

  std::unique_ptr<Modality> Make(const ModalityConfig& config) {
    auto modality = Create(config);
    EXPECT_TRUE(modality.ok()) << modality.status();
    return *std::move(modality);
  }

  static at::Tensor Preprocess(const Modality& modality, const MediaSource& media,
                               bool augment = false, uint64_t seed = 0) {
    absl::StatusOr<PreprocessedSample> sample = modality.Preprocess({media, augment, seed});
    EXPECT_TRUE(sample.ok()) << sample.status();
    return sample.ok() ? sample->tensors[0] : at::Tensor();
  }

  Registry registry_;
  std::unique_ptr<MediaDecoder> media_ = NewFfmpegDecoder();
};

ModalityConfig ImageConfig(int width = 64, int height = 64) {
  ModalityConfig config;
  config.set_id("image");
  config.mutable_image()->set_width(width);
  config.mutable_image()->set_height(height);
  for (int i = 0; i < 3; ++i) {
    config.mutable_image()->mutable_normalization()->add_mean(0.5);
    config.mutable_image()->mutable_normalization()->add_std(0.5);
  }
  config.mutable_encoder()->mutable_small_cnn()->add_widths(8);
  config.mutable_encoder()->mutable_small_cnn()->add_widths(16);
  return config;
}

ModalityConfig VideoConfig() {
  ModalityConfig config;
  config.set_id("video");
  VideoInput& video = *config.mutable_video();
  video.set_frames(4);
  video.set_width(64);
  video.set_height(64);
  *video.mutable_normalization() = ImageConfig().image().normalization();
  config.mutable_encoder()->mutable_small_cnn()->add_widths(8);
  return config;
}

ModalityConfig AudioConfig() {
  ModalityConfig config;
  config.set_id("audio");
  AudioInput& audio = *config.mutable_audio();
  audio.set_sample_rate_hz(8000);
  audio.set_max_samples(8000);
  audio.mutable_log_mel()->set_window(256);
  audio.mutable_log_mel()->set_hop(80);
  audio.mutable_log_mel()->set_mel_bins(40);
  audio.mutable_log_mel()->set_max_hz(4000);
  SmallCnnEncoder& cnn = *config.mutable_encoder()->mutable_small_cnn();
  cnn.add_widths(8);
  cnn.add_widths(16);
  cnn.set_flatten_height(true);
  return config;
}

MediaSource MovingBar(int count, int width = 64, int height = 64) {
  std::vector<uint8_t> frames(static_cast<size_t>(count) * width * height * 3, 20);
  for (int t = 0; t < count; ++t) {
    for (int y = 0; y < height; ++y) {
      for (int x = 3 * t; x < 3 * t + 8 && x < width; ++x) {
        std::fill_n(frames.begin() + ((static_cast<size_t>(t) * height + y) * width + x) * 3, 3,
                    220);
      }
    }
  }
  return BytesMedia(EncodeMp4(frames, count, width, height, 10).value());
}

MediaSource Tone(double seconds, double hz, int rate = 8000) {
  std::vector<float> samples(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(0.5 * std::sin(6.283185307 * hz * i / rate));
  }
  return BytesMedia(EncodeWav(samples, rate).value());
}

TEST_F(ModalitiesTest, ResizingEqualsPillowToTheBit) {
  for (const char* file : {"grad_120x80.png", "mix_97x131.jpg", "noise_64x64.png",
                           "mix_rgba_50x70.png", "grad_gray_33x21.png", "mix_palette_80x60.png"}) {
    const at::Tensor pixels = Images().at(std::string(file) + "/decoded_rgb_u8");
    for (int side : {64, 96, 384}) {
      const auto expected =
          Images().find(std::string(file) + "/bicubic_" + std::to_string(side) + "_u8");
      if (expected == Images().end()) continue;
      const std::vector<uint8_t> resized =
          ResizeBicubic(Pixels(pixels), {pixels.size(0), pixels.size(1), 3}, side, side);
      EXPECT_TRUE(std::equal(resized.begin(), resized.end(), Pixels(expected->second).begin()))
          << expected->first;
    }
  }
}

TEST_F(ModalitiesTest, ResizingMeasuredValuesFollowsTheSameFilter) {
  const at::Tensor pixels = Images().at("grad_120x80.png/decoded_rgb_u8");
  const at::Tensor expected = Images().at("grad_120x80.png/bicubic_64_u8");
  const std::vector<float> resized =
      ResizeBicubic(Floats(pixels.to(at::kFloat)), {80, 120, 3}, 64, 64);
  EXPECT_LT(MaxDifference(AsTensor(resized).view({64, 64, 3}).clamp(0, 255), expected), 1.5);
}

TEST_F(ModalitiesTest, ImagesEqualTheReferencesInput) {
  const auto image = Make(ImageConfig());
  for (const char* file : {"grad_120x80.png", "noise_64x64.png", "mix_rgba_50x70.png",
                           "grad_gray_33x21.png", "mix_palette_80x60.png", "mix_97x131.jpg"}) {
    const at::Tensor input = Preprocess(*image, FileMedia(file));
    for (const char* kind : {"/normalized_64", "/grounding_64"}) {
      EXPECT_LT(MaxDifference(input, Images().at(std::string(file) + kind)), 1e-6) << file << kind;
    }
  }
  ModalityConfig config = ImageConfig();
  Normalization& imagenet = *config.mutable_image()->mutable_normalization();
  const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
  for (int i = 0; i < 3; ++i) {
    imagenet.set_mean(i, mean[i]);
    imagenet.set_std(i, deviation[i]);
  }
  EXPECT_LT(MaxDifference(Preprocess(*Make(config), FileMedia("grad_120x80.png")),
                          Images().at("grad_120x80.png/imagenet_normalized_64")),
            1e-6);
}

TEST_F(ModalitiesTest, ImageFeaturesHaveGridPositions) {
  const auto image = Make(ImageConfig(64, 32));
  EXPECT_EQ(image->info().feature_schema, "small_cnn-8.16-64x32/1");
  EXPECT_EQ(image->info().max_positions, 8 * 16);
  image->module();
  PreprocessedBatch batch;
  for (const char* file : {"grad_120x80.png", "noise_64x64.png"}) {
    batch.samples.push_back({{Preprocess(*image, FileMedia(file))}});
  }
  const absl::StatusOr<ModalityFeatures> features = image->Encode(batch);
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ(features->values.sizes(), at::IntArrayRef({2, 128, 16}));
  EXPECT_EQ(features->positions.sizes(), at::IntArrayRef({2, 128, 2}));
  EXPECT_EQ(features->positions[1][17][0].item<int64_t>(), 1);
  EXPECT_EQ(features->positions[1][17][1].item<int64_t>(), 1);
}

TEST_F(ModalitiesTest, VideoCropsEqualTheReferences) {
  for (const char* name :
       {"video_2x100x151_crop64", "video_2x50x70_crop64", "video_1x64x64_crop64"}) {
    const at::Tensor frames = Images().at(std::string(name) + "/frames_u8");
    const at::Tensor expected = Images().at(std::string(name) + "/out");
    for (int64_t t = 0; t < frames.size(0); ++t) {
      const at::Tensor pixels = frames[t].permute({1, 2, 0}).contiguous();
      const std::vector<uint8_t> cropped =
          CenterCrop(Pixels(pixels), {pixels.size(0), pixels.size(1), 3}, 64, 64);
      const at::Tensor actual =
          at::from_blob(const_cast<uint8_t*>(cropped.data()), {64, 64, 3}, at::kByte)
              .permute({2, 0, 1})
              .to(at::kFloat)
              .div(255)
              .sub(0.5)
              .div(0.5);
      EXPECT_LT(MaxDifference(actual, expected.select(1, t)), 1e-6) << name << " " << t;
    }
  }
}

TEST_F(ModalitiesTest, FrameSelectionEqualsTheReferences) {
  int compared = 0;
  const nlohmann::json cases = ReadJson("video_frame_indices.json");
  for (const nlohmann::json& test : cases.at("cases")) {
    const std::string mode = test["mode"];
    const int64_t count = test["vlen"];
    const auto expected = test["indices"].get<std::vector<int64_t>>();
    std::vector<int64_t> actual;
    if (mode == "middle") {
      actual = MiddleFrames(count, test["num_frames"]);
    } else if (mode == "rand_fix_start0") {
      actual = OffsetFrames(count, test["num_frames"], 0);
    } else if (mode.rfind("fps", 0) == 0) {
      const int64_t limit = test["max_num_frames"];
      actual = FramesAtRate(count, test["input_fps"], std::stod(mode.substr(3)),
                            std::max<int64_t>(limit, 0));
      // Here a selection with too few frames is filled by repetition; the reference leaves it
      // shorter.
      if (limit > 0) actual.resize(std::min(actual.size(), expected.size()));
    } else {
      continue;
    }
    EXPECT_EQ(actual, expected) << test.dump();
    ++compared;
  }
  EXPECT_EQ(compared, 240);
}

TEST_F(ModalitiesTest, RandomFramesStayInTheirIntervals) {
  SeededRandom random(4);
  for (int k = 0; k < 100; ++k) {
    const std::vector<int64_t> indices = RandomFrames(40, 4, random);
    for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(indices[i] / 10, i);
  }
}

TEST_F(ModalitiesTest, VideoKeepsChannelsApartAndFramesInOrder) {
  ModalityConfig config = VideoConfig();
  const auto video = Make(config);
  const at::Tensor values = Preprocess(*video, MovingBar(16));
  ASSERT_EQ(values.sizes(), at::IntArrayRef({3, 4, 64, 64}));
  // The bar's left edge moves by 12 pixels from one selected frame to the next.
  for (int t = 0; t < 4; ++t) {
    const at::Tensor row = values[0][t][32];
    EXPECT_EQ(row.argmax().item<int64_t>() / 12, t) << t;
  }
  PreprocessedBatch batch{{{{values}}, {{values}}}};
  const auto features = video->Encode(batch);
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ(features->values.sizes(), at::IntArrayRef({2, 1024, 8}));

  config.mutable_encoder()->Clear();
  for (int i = 0; i < 4; ++i) config.mutable_encoder()->mutable_resnext3d()->add_blocks(1);
  const auto deep = Make(config);
  at::NoGradGuard no_grad;
  const auto deep_features = deep->Encode(batch);
  ASSERT_TRUE(deep_features.ok()) << deep_features.status();
  EXPECT_EQ(deep_features->values.sizes(), at::IntArrayRef({2, deep->info().max_positions, 2048}));
  EXPECT_EQ(deep_features->positions.sizes(), at::IntArrayRef({2, 4, 2}));
}

TEST_F(ModalitiesTest, VideoResizesWhenAsked) {
  ModalityConfig config = VideoConfig();
  config.mutable_video()->set_resize(true);
  config.mutable_video()->set_sampling(FRAME_SAMPLING_RANDOM);
  const auto video = Make(config);
  const MediaSource media = MovingBar(12, 96, 48);
  EXPECT_EQ(Preprocess(*video, media).sizes(), at::IntArrayRef({3, 4, 64, 64}));
  EXPECT_TRUE(at::equal(Preprocess(*video, media, true, 5), Preprocess(*video, media, true, 5)));
  EXPECT_FALSE(at::equal(Preprocess(*video, media, true, 5), Preprocess(*video, media, true, 6)));
}

TEST_F(ModalitiesTest, WaveformsEqualTheReferences) {
  const TensorMap golden = LoadSafetensors(std::string(kPreprocess) + "audio.safetensors").value();
  for (const char* file : {"tone_48k_mono.wav", "tone_16k_stereo.wav", "tone_44k1_mono.wav"}) {
    const AudioClip clip = media_->DecodeAudio(FileMedia(file)).value();
    const std::vector<float> wave = MixToInt16(Floats(clip.samples), clip.samples.size(0));
    EXPECT_LT(MaxDifference(AsTensor(wave), golden.at(std::string(file) + "/soundfile_path")), 1e-7)
        << file;
    const auto resampler = Resampler::Create(clip.sample_rate_hz, 48000).value();
    EXPECT_LT(MaxDifference(AsTensor(resampler->Apply(Floats(clip.samples[0]))),
                            golden.at(std::string(file) + "/resampled_48000_channel0")),
              2e-6)
        << file;
  }
}

TEST_F(ModalitiesTest, PaddingEqualsTheReferences) {
  const nlohmann::json cases = ReadJson("audio.json");
  for (const nlohmann::json& test : cases.at("padding_cases")) {
    const std::string name = test["filling"];
    const Filling filling = name == "pad"         ? Filling::kZeros
                            : name == "repeatpad" ? Filling::kWholeCopies
                                                  : Filling::kCopies;
    EXPECT_EQ(FitLength(test["input"].get<std::vector<float>>(), test["max_len"], 0, filling),
              test["waveform"].get<std::vector<float>>())
        << test.dump();
  }
}

TEST_F(ModalitiesTest, ResamplingKeepsATone) {
  for (const auto& [from, to] :
       {std::pair{8000, 16000}, {16000, 8000}, {44100, 8000}, {8001, 8000}}) {
    std::vector<float> tone(from);
    for (int i = 0; i < from; ++i) tone[i] = std::sin(6.283185307f * 440 * i / from);
    const std::vector<float> out = Resampler::Create(from, to).value()->Apply(tone);
    ASSERT_EQ(out.size(), to);
    for (int i = to / 4; i < to / 2; ++i) {
      ASSERT_NEAR(out[i], std::sin(6.283185307f * 440 * i / to), 1e-2) << from << " " << to;
    }
  }
}

TEST_F(ModalitiesTest, AudioIsOneLengthAndNormalised) {
  const auto audio = Make(AudioConfig());
  EXPECT_EQ(audio->info().max_positions, 26);
  EXPECT_EQ(audio->info().position_kind, PositionKind::kSequence);
  PreprocessedBatch batch;
  for (double seconds : {0.3, 1.0, 2.5}) {
    const at::Tensor values = Preprocess(*audio, Tone(seconds, 600));
    ASSERT_EQ(values.sizes(), at::IntArrayRef({101, 40}));
    EXPECT_NEAR(values.mean().item<float>(), 0, 1e-3);
    EXPECT_NEAR(values.std().item<float>(), 1, 1e-2);
    batch.samples.push_back({{values}});
  }
  batch.samples.push_back({{Preprocess(*audio, Tone(0.5, 600, 16000))}});
  const auto features = audio->Encode(batch);
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ(features->values.sizes(), at::IntArrayRef({4, 26, 16}));
  EXPECT_EQ(features->positions[2][25].item<int64_t>(), 25);
}

TEST_F(ModalitiesTest, PatchesAndPannTakeSpectrogramsToo) {
  at::NoGradGuard no_grad;
  ModalityConfig config = AudioConfig();
  config.mutable_encoder()->mutable_patches()->set_height(8);
  const auto patches = Make(config);
  EXPECT_EQ(patches->module(), nullptr);
  const auto features = patches->Encode({{{{Preprocess(*patches, Tone(1, 300))}}}});
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ(features->values.sizes(), at::IntArrayRef({1, 13, 320}));
  EXPECT_LT(features->values.square().mean(2).max().item<float>(), 1);

  config.mutable_encoder()->mutable_pann()->set_layers(6);
  const auto pann = Make(config);
  const auto pann_features = pann->Encode({{{{Preprocess(*pann, Tone(1, 300))}}}});
  ASSERT_TRUE(pann_features.ok()) << pann_features.status();
  EXPECT_EQ(pann_features->values.sizes(), at::IntArrayRef({1, 6 * 2, 512}));
}

TEST_F(ModalitiesTest, AugmentationIsAFunctionOfTheSeed) {
  ModalityConfig image = ImageConfig(), audio = AudioConfig();
  (*image.mutable_options())["augment"] = "photo";
  (*audio.mutable_options())["augment"] = "speech";
  const std::vector<std::pair<ModalityConfig, MediaSource>> cases = {
      {image, FileMedia("noise_64x64.png")}, {audio, Tone(0.6, 500)}, {audio, Tone(1.6, 500)}};
  for (const auto& [config, media] : cases) {
    const auto modality = Make(config);
    const at::Tensor plain = Preprocess(*modality, media);
    EXPECT_TRUE(at::equal(plain, Preprocess(*modality, media, false, 7)));
    const at::Tensor varied = Preprocess(*modality, media, true, 7);
    EXPECT_TRUE(at::equal(varied, Preprocess(*modality, media, true, 7)));
    EXPECT_FALSE(at::equal(varied, Preprocess(*modality, media, true, 8)));
    EXPECT_FALSE(at::equal(varied, plain));
    EXPECT_TRUE(varied.isfinite().all().item<bool>());
    EXPECT_EQ(varied.sizes(), plain.sizes());
  }
  const auto still = Make(ImageConfig());
  const MediaSource media = FileMedia("noise_64x64.png");
  EXPECT_TRUE(at::equal(Preprocess(*still, media, true, 1), Preprocess(*still, media)));
}

TEST_F(ModalitiesTest, FingerprintsFollowTheSettings) {
  ModalityConfig config = ImageConfig();
  const std::string base = Make(config)->preprocessing_fingerprint();
  EXPECT_EQ(Make(config)->preprocessing_fingerprint(), base);
  config.mutable_image()->mutable_normalization()->set_mean(1, 0.4);
  EXPECT_NE(Make(config)->preprocessing_fingerprint(), base);
  config = ImageConfig();
  (*config.mutable_options())["augment"] = "photometric";
  EXPECT_NE(Make(config)->preprocessing_fingerprint(), base);
}

TEST_F(ModalitiesTest, ConfigurationErrorsNameTheField) {
  struct Case {
    const char* message;
    ModalityConfig config;
  };
  std::vector<Case> cases = {{"image.width", ImageConfig(0, 64)},
                             {"image.normalization", ImageConfig()},
                             {"unknown option \"colour\"", ImageConfig()},
                             {"options[\"augment\"]", AudioConfig()},
                             {"audio.log_mel.window", AudioConfig()},
                             {"audio.log_mel.max_hz", AudioConfig()},
                             {"audio.max_samples", AudioConfig()},
                             {"video.frames", VideoConfig()},
                             {"video.fps", VideoConfig()},
                             {"small_cnn.widths", VideoConfig()},
                             {"patches", ImageConfig()},
                             {"channels", VideoConfig()},
                             {"none is set", ImageConfig()}};
  cases[1].config.mutable_image()->mutable_normalization()->add_mean(1);
  (*cases[2].config.mutable_options())["colour"] = "no";
  (*cases[3].config.mutable_options())["augment"] = "photo";
  cases[4].config.mutable_audio()->mutable_log_mel()->set_window(300);
  cases[5].config.mutable_audio()->mutable_log_mel()->set_max_hz(5000);
  cases[6].config.mutable_audio()->set_max_samples(100);
  cases[7].config.mutable_video()->set_frames(0);
  cases[8].config.mutable_video()->set_sampling(FRAME_SAMPLING_FPS);
  cases[9].config.mutable_encoder()->mutable_small_cnn()->clear_widths();
  cases[10].config.mutable_encoder()->mutable_patches()->set_height(7);
  cases[11].config.mutable_encoder()->mutable_resnet()->add_blocks(1);
  cases[12].config.clear_encoder();
  for (const Case& test : cases) {
    const absl::Status status = Create(test.config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.message;
    EXPECT_TRUE(absl::StrContains(status.message(), test.message)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), test.config.id())) << status;
  }
}

TEST_F(ModalitiesTest, MediaOfTheWrongKindAreRefused) {
  const auto image = Make(ImageConfig());
  const auto audio = Make(AudioConfig());
  const auto video = Make(VideoConfig());
  EXPECT_EQ(image->Preprocess({FileMedia("tone_48k_mono.wav"), false, 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(audio->Preprocess({FileMedia("noise_64x64.png"), false, 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(video->Preprocess({FileMedia("noise_64x64.png"), false, 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(image->Preprocess({FileMedia("none.png"), false, 0}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ModalitiesTest, PreprocessingTheSameMediaAgainGivesTheSame) {
  const auto image = Make(ImageConfig());
  const auto audio = Make(AudioConfig());
  const MediaSource picture = FileMedia("noise_64x64.png"), tone = Tone(0.8, 440);
  const at::Tensor pixels = Preprocess(*image, picture), sound = Preprocess(*audio, tone);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(at::equal(Preprocess(*image, picture), pixels));
    EXPECT_TRUE(at::equal(Preprocess(*audio, tone), sound));
  }
}

}  // namespace
}  // namespace unival
