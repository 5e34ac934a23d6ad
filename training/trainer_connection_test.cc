// Settings of a connection in a plan: standardised features, maps for positions.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/collate.h"
#include "runtime/model.h"
#include "sdk/base/test_files.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPhotoTask[] = R"(
name: "photo"
task {
  name: "photo_caption"
  input { name: "image" modality: "photo" }
  prompt: " what does the image describe?"
  target: " {caption:text}"
  generation { beam: 1 max_tokens: 6 }
  metric: "exact_match"
}
)";

// kAdapterPlan with a second modality of pictures, whose connection has all that one may have.
TrainingPlan PhotoPlan() {
  WriteText(World() + "/photo.textproto", kPhotoTask);
  TrainingPlan plan = Parse(kAdapterPlan);
  NewModalityPlan* added = plan.add_new_modality();
  *added->mutable_modality() = Parse(kFreshPlan).fresh_model().modality(0);
  added->mutable_modality()->set_id("photo");
  added->mutable_modality()->set_type("image");
  added->set_encoder_from("image");
  added->mutable_connection()->set_shared_type_row(-1);
  added->mutable_connection()->set_standardize_features(true);
  added->mutable_connection()->set_position_maps(3);
  added->mutable_connection()->set_positions_per_feature(2);
  plan.set_templates(0, "photo.textproto");
  plan.mutable_stage(0)->set_trainable(0, "connection:photo");
  plan.mutable_stage(0)->mutable_source(0)->set_task("photo_caption");
  return plan;
}

std::map<std::string, at::Tensor> StateOf(const std::string& output) {
  auto model = Model::Load(World() + "/" + output + "/model", TheRuntime());
  EXPECT_TRUE(model.ok()) << model.status();
  std::map<std::string, at::Tensor> state;
  if (!model.ok()) return state;
  for (const NamedTensor& entry : (*model)->State()) state[entry.name] = entry.tensor.clone();
  return state;
}

// Of all pictures of World(), [rows, F], by the base model's encoder.
at::Tensor AllFeatures() {
  const at::NoGradGuard no_grad;
  auto model = Model::Load(World() + "/base/model", TheRuntime());
  EXPECT_TRUE(model.ok()) << model.status();
  std::vector<at::Tensor> rows;
  for (int i = 0; i < kImages; ++i) {
    Seq2SeqExample example;
    MediaInput media{"image", {}};
    media.media.path = absl::StrCat(World(), "/images/", i, ".png");
    example.media.push_back(media);
    auto prepared = Prepare(**model, std::move(example), {});
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    PreprocessedBatch batch;
    batch.samples.push_back(prepared->media[0].sample);
    rows.push_back(EncodeChecked(*(*model)->modality("image"), batch)->values[0]);
  }
  return at::cat(rows).to(at::kDouble);
}

TEST(TrainerTest, AConnectionIsGivenTheMeanAndDeviationOfItsFeatures) {
  TrainOk(Options(World(), PhotoPlan(), FreshOutput("photo")));
  auto state = StateOf("photo");
  const at::Tensor features = AllFeatures();
  const at::Tensor mean = features.mean(0), deviation = features.std(0, /*unbiased=*/false);
  EXPECT_TRUE(state["connection.photo.feature_mean"].to(at::kDouble).allclose(mean, 1e-4, 1e-5));
  const at::Tensor measured = state["connection.photo.feature_std"].to(at::kDouble);
  EXPECT_TRUE(measured.where(deviation > 1e-4, deviation).allclose(deviation, 1e-3, 1e-5));
  EXPECT_EQ(state["connection.photo.weight"].dim(), 3);
  const Receipt receipt = ReadReceipt("photo");
  EXPECT_EQ(receipt.frozen_changed, 0);
  for (const ReceiptEntry& entry : receipt.entries) {
    if (entry.before.name != "connection.photo.feature_mean") continue;
    EXPECT_EQ(entry.role, TensorRole::kStatistics);
    EXPECT_FALSE(entry.changed()) << "measured before the first step, and then left alone";
  }
}

TEST(TrainerTest, AConnectionBeginsAtPlacesThatTheModelKnows) {
  TrainingPlan plan = PhotoPlan();
  plan.mutable_stage(0)->set_trainable(0, "name:connection.photo.weight");
  const auto started = [&plan](const std::string& output, const std::string& from) {
    plan.mutable_new_modality(0)->set_positions_from(from);
    TrainOk(Options(World(), plan, FreshOutput(output)));
    return StateOf(output);
  };
  const auto fresh = started("places_fresh", ""), of_image = started("places_image", "image"),
             of_file = started("places_file", "base/model/adapter.image.safetensors");
  for (const auto* state : {&of_image, &of_file}) {
    for (const char* name : {"positions", "bias"}) {
      EXPECT_TRUE(state->at(absl::StrCat("connection.photo.", name))
                      .equal(state->at(absl::StrCat("connection.image.", name))))
          << name;
    }
    EXPECT_TRUE(state->at("connection.photo.type_row").equal(fresh.at("connection.photo.type_row")))
        << "image has no row of its own";
  }
  EXPECT_FALSE(
      fresh.at("connection.photo.positions").equal(of_file.at("connection.photo.positions")));
}

TEST(TrainerTest, PlacesOfAnotherSizeAreRefusedByName) {
  TrainingPlan plan = PhotoPlan();
  plan.mutable_new_modality(0)->set_positions_from("image");
  plan.mutable_new_modality(0)->mutable_connection()->set_position_rows(7);
  const auto outcome = Train(Options(World(), plan, FreshOutput("places_refused")), TheRuntime());
  EXPECT_THAT(std::string(outcome.status().message()),
              AllOf(HasSubstr("new_modality[0]"), HasSubstr("positions_from image"),
                    HasSubstr("expected the shape [7, "), HasSubstr("position_rows")));
  plan.mutable_new_modality(0)->set_positions_from("imagee");
  EXPECT_THAT(std::string(Train(Options(World(), plan, FreshOutput("places_unknown")), TheRuntime())
                              .status()
                              .message()),
              HasSubstr("imagee"));
}

TEST(TrainerTest, ARunThatMeasuredItsFeaturesResumesToTheSameBits) {
  const TrainingPlan plan = PhotoPlan();
  TrainOk(Options(World(), plan, FreshOutput("photo_straight")));
  TrainOptions options = Options(World(), plan, FreshOutput("photo_stopped"));
  options.stop_after_step = 5;
  TrainOk(options);
  options.stop_after_step = 0;
  options.resume = true;
  TrainOk(options);
  EXPECT_EQ(After("photo_straight"), After("photo_stopped"));
}

TEST(TrainerTest, FeatureStatisticsAreNotRounded) {
  TrainingPlan plan = PhotoPlan();
  TrainOk(Options(World(), plan, FreshOutput("photo_whole")));
  plan.set_save_half(true);
  TrainOk(Options(World(), plan, FreshOutput("photo_half")));
  auto whole = StateOf("photo_whole"), half = StateOf("photo_half");
  for (const char* name : {"connection.photo.feature_mean", "connection.photo.feature_std"})
    EXPECT_TRUE(half[name].equal(whole[name])) << name;
  auto check = VerifyReceipt(World() + "/photo_half/receipt.json", World() + "/photo_half/model",
                             World() + "/base/model", TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
}

TEST(TrainerTest, TrainingThatGoesOnKeepsTheStatisticsThatItsWeightsWereTrainedWith) {
  TrainOk(Options(World(), PhotoPlan(), FreshOutput("photo_first")));
  TrainingPlan plan = PhotoPlan();
  plan.set_model("photo_first/model");
  plan.clear_new_modality();
  plan.mutable_stage(0)->mutable_source(0)->set_limit(2);  // other pictures on average
  TrainOk(Options(World(), plan, FreshOutput("photo_second")));
  const char* const name = "connection.photo.feature_mean";
  EXPECT_TRUE(StateOf("photo_first")[name].equal(StateOf("photo_second")[name]));
  // The statistics of a connection that is reset are computed again.
  plan.add_reset("connection.photo");
  TrainOk(Options(World(), plan, FreshOutput("photo_anew")));
  EXPECT_FALSE(StateOf("photo_first")[name].equal(StateOf("photo_anew")[name]));
}

}  // namespace
}  // namespace unival::trainer_tests
