// Training with other settings of templates than their texts: pictures within a sentence, several
// examples per record, negatives, weights and masks of the loss, and another input size.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "runtime/pipeline.h"
#include "sdk/base/test_files.h"
#include "training/run/training_step.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::HasSubstr;

constexpr char kExamples[] = R"(
name: "examples"
task {
  name: "relation"
  input { name: "image" modality: "image" }
  input { name: "second" modality: "image" }
  prompt: " {image} is before {image:second}"
  target: " {colour:label}"
  labels { slot: "colour" values: "red" values: "green" values: "blue" }
  mask_loss: true
  loss_weight: "sure"
  generation { beam: 1 max_tokens: 6 }
  metric: "exact_match"
}
task {
  name: "described"
  input { name: "image" modality: "image" }
  prompt: " what does the image describe?"
  target: " {caption:text}"
  also { task: "matching" columns { key: "text" value: "caption" } }
  generation { beam: 1 max_tokens: 6 }
}
task {
  name: "matching"
  input { name: "image" modality: "image" }
  prompt: " does the image describe {text:text}?"
  target: " {answer:text}"
  negatives { column: "text" answer: "answer" yes: "red" no: "blue" }
  generation { beam: 1 max_tokens: 6 }
}
)";

// The first picture of a pair says the answer.
void WritePairs() {
  const char* const colours[] = {"red", "green", "blue"};
  std::string records;
  for (int i = 0; i < kImages; ++i) {
    records += Json{{"image", absl::StrCat("images/", i, ".png")},
                    {"second", absl::StrCat("images/", i / 3, ".png")},
                    {"colour", colours[i % 3]},
                    {"sure", 0.25 + 0.5 * (i % 2)}}
                   .dump() +
               "\n";
  }
  WriteText(World() + "/pairs.jsonl", records);
  WriteText(World() + "/examples.textproto", kExamples);
}

TrainingPlan ExamplePlan(const char* stage) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.clear_stage();
  plan.clear_evaluation();
  plan.add_templates("examples.textproto");
  plan.MergeFrom(Parse(stage));
  return plan;
}

constexpr char kRelationStage[] = R"(
stage {
  name: "all" trainable: "all" steps: 120 batch: 6
  optimizer { learning_rate: 1e-2 clip_norm: 1 }
  source { name: "relation" task: "relation" path: "pairs.jsonl" }
  log_every: 20
}
)";

std::unique_ptr<Pipeline> PipelineOf(const std::string& output) {
  PipelineOptions options;
  options.model = World() + "/" + output + "/model";
  options.runtime.threads = 1;
  auto pipeline = Pipeline::Create(options);
  EXPECT_TRUE(pipeline.ok()) << pipeline.status();
  return pipeline.ok() ? *std::move(pipeline) : nullptr;
}

MediaSource ImageOf(int i) {
  const std::string path = absl::StrCat(World(), "/images/", i, ".png");
  return {path, path, nullptr};
}

TEST(TrainerExamples, PicturesWithinASentenceAreToldByTheirPlaces) {
  WritePairs();
  FreshOutput("relation");
  TrainOk(Options(World(), ExamplePlan(kRelationStage), "relation"));
  const auto pipeline = PipelineOf("relation");
  ASSERT_NE(pipeline, nullptr);
  const char* const colours[] = {"red", "green", "blue"};
  std::vector<TaskSample> samples;
  for (int first = 0; first < 3; ++first) {
    for (int second = 0; second < 3; ++second) {
      samples.push_back({"k", {{"image", ImageOf(first)}, {"second", ImageOf(second)}}});
    }
  }
  const auto together = pipeline->PredictBatch("relation", samples);
  ASSERT_TRUE(together.ok()) << together.status();
  int right = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto alone = pipeline->Predict("relation", samples[i]);
    ASSERT_TRUE(alone.ok()) << alone.status();
    ASSERT_TRUE((*together)[i].ok());
    EXPECT_EQ(alone->text, (*together)[i]->text);
    right += alone->text == colours[i / 3];
  }
  // As the reference's zero-shot evaluation has it: the same answer, with its probability among all
  // tokens.
  GenerationConfig zero_shot;
  zero_shot.set_mask_after_softmax(true);
  const auto among_all = pipeline->Predict("relation", samples[1], zero_shot);
  ASSERT_TRUE(among_all.ok()) << among_all.status();
  EXPECT_EQ(among_all->text, (*together)[1]->text);
  EXPECT_LT(among_all->score, (*together)[1]->score);
  // Without places both pictures of a pair would look alike, and a third of the answers be right
  // beside those to equal pairs.
  EXPECT_EQ(right, 9);
}

// The input of a step for a record.
TEST(TrainerExamples, WeightsAndClosedSetsReachTheLoss) {
  WritePairs();
  FreshOutput("masked");
  TrainingPlan plan = ExamplePlan(kRelationStage);
  plan.mutable_stage(0)->set_steps(1);
  TrainOk(Options(World(), plan, "masked"));
  const auto pipeline = PipelineOf("masked");
  ASSERT_NE(pipeline, nullptr);
  const auto task = pipeline->task("relation");
  ASSERT_TRUE(task.ok()) << task.status();
  const TaskSample sample{
      "k", {{"image", ImageOf(0)}, {"second", ImageOf(1)}, {"colour", "green"}, {"sure", 0.25}}};
  auto example = (*task)->MakeExample(sample, ExampleMode::kTraining, 1);
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_EQ(example->loss_weight, 0.25);
  EXPECT_TRUE(example->mask_loss);
  auto prepared = Prepare(pipeline->model(), *example, {});
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  std::vector<PreparedExample> batch = {*prepared};
  const TargetRows rows = MakeTargetRows(pipeline->model(), batch);
  EXPECT_EQ(rows.masks.confidence.item<float>(), 0.25f);
  const at::Tensor counts = rows.masks.allowed.sum(-1);  // [1, T]
  EXPECT_LE(counts.max().item<int64_t>(), 3);
  StepOptions step;
  const auto weighted = ForwardBackward(pipeline->model(), batch, step);
  ASSERT_TRUE(weighted.ok()) << weighted.status();
  batch[0].example.loss_weight = 1;
  const auto whole = ForwardBackward(pipeline->model(), batch, step);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_NEAR(weighted->loss, 0.25 * whole->loss, 1e-6);
  batch[0].example.mask_loss = false;
  const auto unmasked = ForwardBackward(pipeline->model(), batch, step);
  ASSERT_TRUE(unmasked.ok()) << unmasked.status();
  EXPECT_LT(whole->loss, unmasked->loss);
}

constexpr char kBothStage[] = R"(
stage {
  name: "all" trainable: "all" steps: 8 batch: 4
  optimizer { learning_rate: 1e-3 clip_norm: 1 }
  source { name: "described" task: "described" path: "caption.jsonl" }
  checkpoint_every: 4
  log_every: 1
}
)";

TEST(TrainerExamples, ARecordGivesSeveralExamplesWhateverTheThreadsAndStops) {
  WritePairs();
  FreshOutput("both");
  const TrainingPlan plan = ExamplePlan(kBothStage);
  TrainOk(Options(World(), plan, "both"));
  FreshOutput("both_threads");
  TrainOptions threads = Options(World(), plan, "both_threads");
  threads.loader_threads = 3;
  TrainOk(threads);
  EXPECT_EQ(After("both"), After("both_threads"));

  FreshOutput("both_resumed");
  TrainOptions resumed = Options(World(), plan, "both_resumed");
  resumed.stop_after_step = 5;
  ASSERT_TRUE(Train(resumed, TheRuntime()).ok());
  resumed.stop_after_step = 0;
  resumed.resume = true;
  TrainOk(resumed);
  EXPECT_EQ(After("both"), After("both_resumed"));

  // With the matching examples a step sees other targets than without.
  const std::string alone = absl::StrReplaceAll(
      kExamples,
      {{"also { task: \"matching\" columns { key: \"text\" value: \"caption\" } }", ""}});
  WriteText(World() + "/examples.textproto", alone);
  FreshOutput("one");
  TrainOk(Options(World(), plan, "one"));
  WritePairs();
  EXPECT_NE(Losses("both"), Losses("one"));
}

TEST(TrainerExamples, AnInputSizeOfThePlanIsTrainedSavedAndProven) {
  TrainingPlan base = ExamplePlan(kBothStage);
  base.mutable_stage(0)->set_steps(1);
  base.mutable_fresh_model()->mutable_backbone()->set_image_bucket_size(8);
  FreshOutput("wide");
  TrainOk(Options(World(), base, "wide"));

  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_model("wide/model");
  plan.mutable_stage(0)->set_steps(2);
  plan.mutable_stage(0)->set_trainable(0, "name:connection\\.image\\.weight");
  (*plan.mutable_input_size())["image"] = "32x32";
  FreshOutput("resized");
  TrainOk(Options(World(), plan, "resized"));
  auto model = Model::Load(World() + "/resized/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->manifest().modality(0).image().height(), 32);
  EXPECT_EQ((*model)->modality("image")->info().max_positions, 64);
  const auto proven = VerifyReceipt(World() + "/resized/receipt.json", World() + "/resized/model",
                                    World() + "/wide/model", TheRuntime());
  ASSERT_TRUE(proven.ok()) << proven.status();
  EXPECT_TRUE(proven->ok()) << (proven->problems.empty() ? "" : proven->problems[0]);
  // The positions are those of the base, spread over the larger grid.
  const auto after = After("resized");
  EXPECT_NE(after.at("connection.image.positions"), After("wide").at("connection.image.positions"));

  const struct {
    const char* size;
    std::vector<std::string> expected;
  } kRefused[] = {
      {"64x64",
       {"input_size", "a grid of 8 x 8 cells", "got 16 x 16 positions", "choose a smaller size"}},
      {"wide", {"input_size[\"image\"]", "480x480", "\"wide\""}},
      {"4x16x16", {"input_size", "WIDTHxHEIGHT", "\"4x16x16\""}},
  };
  for (const auto& refused : kRefused) {
    (*plan.mutable_input_size())["image"] = refused.size;
    FreshOutput("refused");
    const std::string message(
        Train(Options(World(), plan, "refused"), TheRuntime()).status().message());
    for (const std::string& part : refused.expected) EXPECT_THAT(message, HasSubstr(part));
  }
}

}  // namespace
}  // namespace unival::trainer_tests
