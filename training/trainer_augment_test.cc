// The augmentation of pictures and sounds in training: it is the same for any number of loader
// threads, after a stop, and with a cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "modalities/io/encode.h"
#include "runtime/model.h"
#include "sdk/base/test_files.h"
#include "training/run/plan_preview.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// The connection of the base model; `options` are those of its pictures.
TrainingPlan Pictures(const std::map<std::string, std::string>& options) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_augment(!options.empty());
  if (options.empty()) return plan;
  ModalityOptionsPlan* given = plan.add_modality_options();
  given->set_modality("image");
  for (const auto& [key, value] : options) (*given->mutable_option())[key] = value;
  return plan;
}

const std::map<std::string, std::string> kStrong = {
    {"augment", "rand_augment"}, {"rand_augment_operations", "4"}, {"rand_augment_magnitude", "9"}};

// A modality "audio" beside the base model, and sounds to train it with.
TrainingPlan Sounds(const std::string& augment) {
  std::string records;
  for (int i = 0; i < 6; ++i) {
    std::vector<float> samples;
    for (int t = 0; t < 4000; ++t)
      samples.push_back(static_cast<float>(std::sin(t * (0.1 + 0.1 * i)) / 2));
    const std::string name = absl::StrCat("sounds/", i, ".wav");
    WriteText(World() + "/" + name, EncodeWav(samples, 8000).value());
    records += Json{{"audio", name}, {"caption", i % 2 == 0 ? "red" : "blue"}}.dump() + "\n";
  }
  WriteText(World() + "/sounds.jsonl", records);
  WriteText(World() + "/sounds.textproto", R"(
    name: "sounds" task {
      name: "hear" input { name: "audio" modality: "audio" }
      prompt: " what is it?" target: " {caption:text}" metric: "exact_match"
    })");
  TrainingPlan plan = Parse(R"(
    name: "sounds" seed: 5 model: "base/model" templates: "sounds.textproto"
    new_modality {
      modality {
        id: "audio"
        audio {
          sample_rate_hz: 8000 max_samples: 4000
          log_mel { window: 256 hop: 160 mel_bins: 16 max_hz: 4000 }
        }
        encoder { small_cnn { in_channels: 1 widths: 8 widths: 16 flatten_height: true } }
      }
      connection { shared_type_row: -1 }
    }
    stage {
      name: "audio" trainable: "connection:audio" trainable: "modality:audio" steps: 4 batch: 4
      optimizer { learning_rate: 1e-2 } log_every: 1 checkpoint_every: 1
      source { name: "hear" task: "hear" path: "sounds.jsonl" augment: true }
    })");
  auto& options = *plan.mutable_new_modality(0)->mutable_modality()->mutable_options();
  options["augment"] = augment;
  if (augment == "spec_augment") options["spec_augment_time_width"] = "10";
  return plan;
}

std::map<std::string, std::string> Trained(const std::string& output, const TrainingPlan& plan,
                                           int loader_threads = 1) {
  TrainOptions options = Options(World(), plan, FreshOutput(output));
  options.loader_threads = loader_threads;
  TrainOk(options);
  return After(output);
}

TEST(Augment, OfARunFollowsFromItsSeedWhateverLoadsItAndWhereverItStops) {
  const std::pair<TrainingPlan, TrainingPlan> cases[] = {{Pictures({}), Pictures(kStrong)},
                                                         {Sounds("none"), Sounds("spec_augment")}};
  for (const auto& [plain, varied] : cases) {
    SCOPED_TRACE(varied.name());
    const auto expected = Trained("varied", varied);
    EXPECT_NE(expected, Trained("plain", plain));
    EXPECT_EQ(Trained("three_loaders", varied, 3), expected);
    EXPECT_EQ(Losses("three_loaders"), Losses("varied"));
    TrainOptions options = Options(World(), varied, FreshOutput("varied_stopped"));
    for (const int64_t stop : {1, 3, 0}) {
      options.stop_after_step = stop;
      options.loader_threads = stop == 3 ? 3 : 1;
      TrainOk(options);
      options.resume = true;
    }
    EXPECT_EQ(After("varied_stopped"), expected);
    TrainingPlan other = varied;
    other.set_seed(6);
    EXPECT_NE(Trained("other_seed", other), expected);
  }
}

TEST(Augment, OfARecordIsAnotherInItsNextEpoch) {
  // With a learning rate of 0, the loss of a record changes only because of the augmentation.
  TrainingPlan plan = Pictures(kStrong);
  plan.mutable_stage(0)->mutable_source(0)->set_limit(1);
  plan.mutable_stage(0)->set_batch(1);
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(1e-30f);
  Trained("one_record", plan);
  const std::vector<double> losses = Losses("one_record");
  EXPECT_GT(std::set<double>(losses.begin(), losses.end()).size(), 4u);
  plan.mutable_stage(0)->mutable_source(0)->set_augment(false);
  Trained("one_record_plain", plan);
  const std::vector<double> plain = Losses("one_record_plain");
  EXPECT_EQ(std::set<double>(plain.begin(), plain.end()).size(), 1u);
}

TEST(Augment, FromACacheIsThatWithoutOneAndNeverThatOfOtherOptions) {
  TrainingPlan plan = Pictures(kStrong);
  plan.mutable_stage(0)->mutable_cache()->set_variants(3);
  const auto uncached = Trained("variants", plan);
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  EXPECT_EQ(Trained("cached_variants", plan), uncached);
  // Weaker pictures in the same folder.
  TrainingPlan weaker = plan;
  (*weaker.mutable_modality_options(0)->mutable_option())["rand_augment_magnitude"] = "2";
  TrainOptions options = Options(World(), weaker, FreshOutput("weaker"));
  TrainOk(options);
  const auto expected = After("weaker");
  EXPECT_NE(expected, uncached);
  options = Options(World(), weaker, FreshOutput("weaker_shared"));
  options.cache_dir = World() + "/cached_variants/cache";
  TrainOk(options);
  EXPECT_EQ(After("weaker_shared"), expected);
  // A cache of one variant would hold pictures that do not vary.
  plan.mutable_stage(0)->mutable_cache()->set_variants(1);
  EXPECT_THAT(
      std::string(
          Train(Options(World(), plan, FreshOutput("stale")), TheRuntime()).status().message()),
      AllOf(HasSubstr("stage[0].cache.variants"), HasSubstr("stage[0].source[0].augment")));
}

TEST(Augment, IsSaidBeforeAStepAndStatedByTheModelThatLearnedWithIt) {
  const TrainingPlan plan = Pictures(kStrong);
  const TrainOptions options = Options(World(), plan, FreshOutput("stated"));
  const auto preview = PreviewPlan(options, TheRuntime(), "");
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_THAT(preview->stages[0].sources[0].augment,
              UnorderedElementsAre(Pair("image", "rand_augment")));
  TrainOk(options);
  const auto model = Model::Load(World() + "/stated/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->manifest().modality(0).options().at("rand_augment_magnitude"), "9");
  const auto check = VerifyReceipt(World() + "/stated/receipt.json", World() + "/stated/model",
                                   World() + "/base/model", TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok());
}

TEST(Augment, ThatDoesNotFitTheModelIsRefused) {
  const auto refused = [](const TrainingPlan& plan) {
    return std::string(
        Train(Options(World(), plan, FreshOutput("refused")), TheRuntime()).status().message());
  };
  TrainingPlan plan = Pictures(kStrong);
  plan.mutable_modality_options(0)->set_modality("sound");
  EXPECT_THAT(refused(plan),
              AllOf(HasSubstr("modality_options: modality \"sound\""), HasSubstr("image")));
  plan = Pictures({{"augment", "spec_augment"}});
  EXPECT_THAT(refused(plan), AllOf(HasSubstr("modality_options"), HasSubstr("options[\"augment\"]"),
                                   HasSubstr("rand_augment")));
  plan = Pictures(kStrong);
  *plan.add_modality_options() = plan.modality_options(0);
  EXPECT_THAT(refused(plan), HasSubstr("modality_options[1].modality"));
  plan = Pictures(kStrong);
  plan.mutable_modality_options(0)->clear_option();
  EXPECT_THAT(refused(plan), HasSubstr("modality_options[0].option"));
  plan = Parse(kFreshPlan);
  *plan.add_modality_options() = Pictures(kStrong).modality_options(0);
  EXPECT_THAT(refused(plan), HasSubstr("modality_options[0]: expected a plan with model"));
}

}  // namespace
}  // namespace unival::trainer_tests
