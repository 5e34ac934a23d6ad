// The augmentation of pictures, clips and sounds, compared with independent calculations.
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "modalities/audio/spec_augment.h"
#include "modalities/builtin.h"
#include "modalities/image/rand_augment.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/networks/networks.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Pixels = std::vector<uint8_t>;

// One grey row or square as three equal channels.
Pixels Grey(const std::vector<int>& values) {
  Pixels pixels;
  for (const int value : values) pixels.insert(pixels.end(), 3, static_cast<uint8_t>(value));
  return pixels;
}

std::vector<int> Changed(PictureOperation operation, double amount, int64_t height, int64_t width,
                         const std::vector<int>& values) {
  Pixels pixels = Grey(values);
  ApplyChanges({{operation, amount}}, {height, width, 3}, &pixels);
  std::vector<int> grey;
  for (size_t i = 0; i < pixels.size(); i += 3) {
    EXPECT_EQ(pixels[i], pixels[i + 1]);
    EXPECT_EQ(pixels[i], pixels[i + 2]);
    grey.push_back(pixels[i]);
  }
  return grey;
}

TEST(RandAugment, OperationsOfLightFollowTheirFormulas) {
  const auto changed = [](PictureOperation operation, double amount, const std::vector<int>& row) {
    return Changed(operation, amount, 1, static_cast<int64_t>(row.size()), row);
  };
  EXPECT_THAT(changed(PictureOperation::kIdentity, 9, {7, 8, 9}), ElementsAre(7, 8, 9));
  EXPECT_THAT(changed(PictureOperation::kBrightness, 1.36, {0, 3, 100, 200}),
              ElementsAre(0, 4, 136, 255));
  EXPECT_THAT(changed(PictureOperation::kAutoContrast, 0, {50, 76, 101}), ElementsAre(0, 130, 255));
  EXPECT_THAT(changed(PictureOperation::kAutoContrast, 0, {50, 50}), ElementsAre(50, 50));
  EXPECT_THAT(changed(PictureOperation::kEqualize, 0, {9, 9, 30}), ElementsAre(9, 9, 30))
      << "too few pixels for a step";
  std::vector<int> row(255, 10);
  row.insert(row.end(), 510, 20), row.insert(row.end(), 255, 90);
  std::vector<int> even(255, 0);  // 765 below the brightest: three make a step
  even.insert(even.end(), 510, (1 + 255) / 3), even.insert(even.end(), 255, 255);
  EXPECT_EQ(changed(PictureOperation::kEqualize, 0, row), even);
}

TEST(RandAugment, SharpnessGoesFromTheSmoothedPictureThroughThePictureAndBeyond) {
  const std::vector<int> dot = {10, 10, 10, 10, 140, 10, 10, 10, 10};
  const auto middle = [&](double factor) {
    const std::vector<int> sharp = Changed(PictureOperation::kSharpness, factor, 3, 3, dot);
    EXPECT_EQ(sharp[0], 10) << "the border stays";
    return sharp[4];
  };
  EXPECT_EQ(middle(0), (8 * 10 + 5 * 140) / 13);  // 60
  EXPECT_EQ(middle(1), 140);
  EXPECT_EQ(middle(0.5), 100);
  EXPECT_EQ(middle(1.36), 168);  // 60 + 1.36 * 80
  EXPECT_EQ(middle(9), 255) << "no value begins again at 0";
}

TEST(RandAugment, OperationsThatMoveTakeGreyFromOutside) {
  const std::vector<int> square = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto moved = [&](PictureOperation operation, double amount) {
    return Changed(operation, amount, 3, 3, square);
  };
  EXPECT_THAT(moved(PictureOperation::kTranslateX, 1),
              ElementsAre(2, 3, 128, 5, 6, 128, 8, 9, 128));
  EXPECT_THAT(moved(PictureOperation::kTranslateY, -1),
              ElementsAre(128, 128, 128, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(moved(PictureOperation::kShearX, 1), ElementsAre(1, 2, 3, 128, 4, 5, 128, 128, 7));
  EXPECT_THAT(moved(PictureOperation::kShearY, 1), ElementsAre(1, 128, 128, 4, 2, 128, 7, 5, 3));
  // A quarter turn anticlockwise around the middle of the picture, where four pixels meet.
  EXPECT_THAT(moved(PictureOperation::kRotate, 90), ElementsAre(128, 128, 128, 3, 6, 9, 2, 5, 8));
  EXPECT_THAT(moved(PictureOperation::kTranslateX, 0.5)[0], 2) << "between 1 and 2, rounded up";
}

TEST(RandAugment, DrawsEveryOperationHalfOfTheTimeBothWaysWithOneMagnitude) {
  SeededRandom random(1);
  const RandAugment rand_augment(2, 7, /*only_light=*/false);
  std::map<PictureOperation, std::set<double>> amounts;
  size_t done = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    for (const PictureChange& change : rand_augment.Draw(random)) {
      amounts[change.operation].insert(std::round(change.amount * 1e6) / 1e6);
      ++done;
    }
  }
  EXPECT_NEAR(static_cast<double>(done) / (2 * kDraws), 0.5, 0.02);
  EXPECT_EQ(amounts.size(), 10u);
  EXPECT_THAT(amounts[PictureOperation::kBrightness], ElementsAre(1.36));
  EXPECT_THAT(amounts[PictureOperation::kSharpness], ElementsAre(1.36));
  EXPECT_THAT(amounts[PictureOperation::kShearY], ElementsAre(-0.21, 0.21));
  EXPECT_THAT(amounts[PictureOperation::kTranslateX], ElementsAre(-7, 7));
  EXPECT_THAT(amounts[PictureOperation::kRotate], ElementsAre(-21, 21));
  const RandAugment light(10, 7, /*only_light=*/true);
  for (int i = 0; i < kDraws; ++i) {
    for (const PictureChange& change : light.Draw(random))
      EXPECT_LT(change.operation, PictureOperation::kShearX);
  }
}

TEST(SpecAugment, WarpsAPointAndStretchesWhatIsBesideIt) {
  std::vector<float> values;
  for (int frame = 0; frame < 9; ++frame)
    values.insert(values.end(), {float(frame), -float(frame)});
  WarpTime(/*from=*/2, /*to=*/4, 9, 2, values.data());
  const std::vector<float> expected = {0, 0.5, 1, 1.5, 2, 3.5, 5, 6.5, 8};
  for (int frame = 0; frame < 9; ++frame) {
    EXPECT_FLOAT_EQ(values[2 * frame], expected[frame]) << frame;
    EXPECT_FLOAT_EQ(values[2 * frame + 1], -expected[frame]) << frame;
  }
}

// Frames and bins that hold nothing but the mean.
std::pair<int, int> Masked(const std::vector<float>& values, int frames, int bins, float mean) {
  const auto is_mean = [&](int frame, int bin) {
    return std::abs(values[frame * bins + bin] - mean) < 1e-4f;
  };
  int spans = 0, bands = 0;
  for (int frame = 0; frame < frames; ++frame) {
    int hit = 0;
    for (int bin = 0; bin < bins; ++bin) hit += is_mean(frame, bin) ? 1 : 0;
    spans += hit == bins ? 1 : 0;
  }
  for (int bin = 0; bin < bins; ++bin) {
    int hit = 0;
    for (int frame = 0; frame < frames; ++frame) hit += is_mean(frame, bin) ? 1 : 0;
    bands += hit == frames ? 1 : 0;
  }
  return {spans, bands};
}

TEST(SpecAugment, MasksAreAsWideAsThePolicySaysAtMostAndHoldTheMean) {
  constexpr int kFrames = 50, kBins = 20;
  std::vector<float> plain;
  for (int i = 0; i < kFrames * kBins; ++i) plain.push_back(static_cast<float>(i % 7 + i % 11));
  double sum = 0;
  for (const float value : plain) sum += value;
  const auto mean = static_cast<float>(sum / plain.size());
  SpecAugmentPolicy policy;
  policy.frequency_masks = policy.time_masks = 1;
  policy.frequency_width = 6;
  policy.time_width = 40, policy.time_percent = 20;  // ten frames are less than forty
  std::set<int> spans, bands;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    std::vector<float> values = plain;
    SeededRandom random(seed);
    SpecAugment(policy).Apply(random, kFrames, kBins, values.data());
    const auto [frames, bins] = Masked(values, kFrames, kBins, mean);
    spans.insert(frames), bands.insert(bins);
  }
  EXPECT_EQ(*spans.begin(), 0);
  EXPECT_EQ(*spans.rbegin(), 10);
  EXPECT_EQ(spans.size(), 11u);
  EXPECT_EQ(*bands.begin(), 0);
  EXPECT_EQ(*bands.rbegin(), 6);
  EXPECT_EQ(bands.size(), 7u);
  // A mask that would be wider than the clip gets the width of the clip.
  policy.frequency_width = 1000, policy.time_percent = 100, policy.time_width = 1000;
  policy.time_warp = 10;
  SeededRandom random(3);
  std::vector<float> values = plain;
  SpecAugment(policy).Apply(random, kFrames, kBins, values.data());
  for (const float value : values) EXPECT_TRUE(std::isfinite(value));
}

class VariedModalities : public ::testing::Test {
 protected:
  VariedModalities() { EXPECT_TRUE(RegisterBuiltinModalities(registry_).ok()); }

  absl::StatusOr<std::unique_ptr<Modality>> Make(
      ModalityConfig config, const std::map<std::string, std::string>& options) {
    for (const auto& [key, value] : options) (*config.mutable_options())[key] = value;
    return registry_.CreateModality(config, HostServices{media_.get(), &MakeFeatureEncoder});
  }

  static at::Tensor Preprocess(const Modality& modality, const MediaSource& media, bool augment,
                               uint64_t seed) {
    absl::StatusOr<PreprocessedSample> sample = modality.Preprocess({media, augment, seed});
    EXPECT_TRUE(sample.ok()) << sample.status();
    return sample.ok() ? sample->tensors[0] : at::Tensor();
  }

  Registry registry_;
  std::unique_ptr<MediaDecoder> media_ = NewFfmpegDecoder();
};

MediaSource Bytes(std::string bytes) {
  return {"made", "", std::make_shared<const std::string>(std::move(bytes))};
}

constexpr int kSide = 32, kFrames = 4;

// A picture, or frames one after the other, with different content at every place.
Pixels Gradient(int frames) {
  Pixels pixels;
  for (int frame = 0; frame < frames; ++frame) {
    for (int i = 0; i < kSide * kSide; ++i) {
      for (int channel = 0; channel < 3; ++channel) {
        pixels.push_back(
            static_cast<uint8_t>(40 * frame + 3 * (i % kSide) + 2 * (i / kSide) + 5 * channel));
      }
    }
  }
  return pixels;
}

ModalityConfig Pictures() {
  ModalityConfig config;
  config.set_id("image");
  config.mutable_image()->set_width(kSide);
  config.mutable_image()->set_height(kSide);
  config.mutable_encoder()->mutable_small_cnn()->add_widths(8);
  return config;
}

ModalityConfig Clips() {
  ModalityConfig config;
  config.set_id("video");
  config.mutable_video()->set_frames(kFrames);
  config.mutable_video()->set_width(kSide);
  config.mutable_video()->set_height(kSide);
  config.mutable_encoder()->mutable_small_cnn()->add_widths(8);
  return config;
}

ModalityConfig Sounds() {
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
  cnn.set_flatten_height(true);
  return config;
}

MediaSource Sound() {
  std::vector<float> samples;
  for (int i = 0; i < 8000; ++i) samples.push_back(static_cast<float>(std::sin(i * i * 1e-5) / 2));
  return Bytes(EncodeWav(samples, 8000).value());
}

// Frame by frame of [3, T, H, W], or the picture [3, H, W], back to pixels.
std::vector<Pixels> FramesOf(const at::Tensor& input) {
  const at::Tensor frames = input.dim() == 3 ? input.unsqueeze(1) : input;
  std::vector<Pixels> all;
  for (int64_t frame = 0; frame < frames.size(1); ++frame) {
    const at::Tensor values =
        frames.select(1, frame).permute({1, 2, 0}).mul(255).round().to(at::kByte).contiguous();
    const auto* data = values.data_ptr<uint8_t>();
    all.emplace_back(data, data + values.numel());
  }
  return all;
}

TEST_F(VariedModalities, PicturesAndAllFramesOfAClipGetTheOperationsThatTheirSeedDraws) {
  const std::map<std::string, std::string> options = {{"augment", "rand_augment"},
                                                      {"rand_augment_operations", "3"},
                                                      {"rand_augment_magnitude", "5"}};
  const std::pair<ModalityConfig, MediaSource> cases[] = {
      {Pictures(), Bytes(EncodePng(Gradient(1), kSide, kSide, 3).value())},
      {Clips(), Bytes(EncodeMp4(Gradient(kFrames), kFrames, kSide, kSide, 10).value())}};
  for (const auto& [config, media] : cases) {
    const auto modality = Make(config, options);
    ASSERT_TRUE(modality.ok()) << modality.status();
    const at::Tensor plain = Preprocess(**modality, media, false, 0);
    int varied = 0;
    for (uint64_t seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE(config.id() + " " + std::to_string(seed));
      EXPECT_TRUE(at::equal(Preprocess(**modality, media, false, seed), plain))
          << "evaluation varies nothing";
      const at::Tensor input = Preprocess(**modality, media, true, seed);
      SeededRandom random(seed);
      const std::vector<PictureChange> changes = RandAugment(3, 5, false).Draw(random);
      std::vector<Pixels> expected = FramesOf(plain);
      for (Pixels& frame : expected) ApplyChanges(changes, {kSide, kSide, 3}, &frame);
      EXPECT_EQ(FramesOf(input), expected);
      varied += at::equal(input, plain) ? 0 : 1;
    }
    EXPECT_GT(varied, 15);
  }
}

TEST_F(VariedModalities, SoundsAreMaskedInTrainingAlone) {
  const auto plain_modality = Make(Sounds(), {});
  ASSERT_TRUE(plain_modality.ok()) << plain_modality.status();
  const at::Tensor plain = Preprocess(**plain_modality, Sound(), true, 3);
  for (const char* policy : {"reference", "LB", "LD", "SM", "SS"}) {
    const auto modality =
        Make(Sounds(), {{"augment", "spec_augment"}, {"spec_augment_policy", policy}});
    ASSERT_TRUE(modality.ok()) << modality.status();
    EXPECT_TRUE(at::equal(Preprocess(**modality, Sound(), false, 3), plain)) << policy;
    const at::Tensor varied = Preprocess(**modality, Sound(), true, 3);
    EXPECT_FALSE(at::equal(varied, plain)) << policy;
    EXPECT_TRUE(at::equal(varied, Preprocess(**modality, Sound(), true, 3))) << policy;
    EXPECT_FALSE(at::equal(varied, Preprocess(**modality, Sound(), true, 4))) << policy;
    EXPECT_EQ(varied.sizes(), plain.sizes());
  }
  const auto nothing = Make(Sounds(), {{"augment", "spec_augment"},
                                       {"spec_augment_frequency_masks", "0"},
                                       {"spec_augment_time_masks", "0"}});
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_TRUE(at::equal(Preprocess(**nothing, Sound(), true, 3), plain));
}

TEST_F(VariedModalities, OptionsThatDoNotFitAreNamed) {
  struct Case {
    ModalityConfig config;
    std::map<std::string, std::string> options;
    const char* message;
  };
  const Case cases[] = {
      {Pictures(), {{"augment", "spec_augment"}}, "options[\"augment\"]"},
      {Sounds(), {{"augment", "rand_augment"}}, "options[\"augment\"]"},
      {Pictures(),
       {{"augment", "rand_augment"}, {"rand_augment_magnitude", "11"}},
       "options[\"rand_augment_magnitude\"]: \"11\", expected 0 to 10"},
      {Clips(),
       {{"augment", "rand_augment"}, {"rand_augment_list", "some"}},
       "options[\"rand_augment_list\"]: \"some\", expected one of all, light"},
      {Clips(), {{"rand_augment_operations", "2"}}, "unknown option \"rand_augment_operations\""},
      {Sounds(),
       {{"augment", "spec_augment"}, {"spec_augment_policy", "lb"}},
       "expected one of reference, LB, LD, SM, SS"},
      {Sounds(),
       {{"augment", "spec_augment"}, {"spec_augment_time_percent", "101"}},
       "options[\"spec_augment_time_percent\"]"},
  };
  for (const Case& test : cases) {
    const absl::Status status = Make(test.config, test.options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.message));
  }
}

}  // namespace
}  // namespace unival
