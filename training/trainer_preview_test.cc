// Compares the output of `plan show` with what the run then does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/safetensors.h"
#include "sdk/base/test_files.h"
#include "training/plan_probe.h"
#include "training/run/plan_preview.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAreArray;

PlanPreview PreviewOk(const TrainOptions& options, const std::string& dry_run_file = "") {
  const auto preview = PreviewPlan(options, TheRuntime(), dry_run_file);
  EXPECT_TRUE(preview.ok()) << preview.status();
  return preview.ok() ? *preview : PlanPreview();
}

TEST(TrainerTest, AStageTakesTheRowsThatThePreviewCounts) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->set_steps(9);
  plan.mutable_stage(0)->mutable_source(1)->set_unlock_step(4);
  plan.mutable_stage(0)->mutable_source(1)->set_weight(2.5f);
  plan.mutable_stage(0)->mutable_source(1)->set_batch(3);
  const TrainOptions options = Options(World(), plan, FreshOutput("previewed"));
  const PlanPreview preview = PreviewOk(options);
  EXPECT_FALSE(fs::exists(World() + "/previewed")) << "nothing is written";
  const TrainResult result = TrainOk(options);
  const StagePreview& stage = preview.stages.at(0);
  const Json last = Log("previewed").back();
  EXPECT_EQ(last.at("rows"), stage.rows());
  for (const SourcePreview& source : stage.sources) {
    EXPECT_EQ(last.at("source_rows").at(source.name), source.rows) << source.name;
    EXPECT_EQ(source.records, kImages);
  }
  EXPECT_EQ(stage.trained(), result.trainable_scalars);
  EXPECT_EQ(stage.frozen(), 0);
}

TEST(TrainerTest, EpochsAreAsManyStepsAsTheirSourceNeeds) {
  TrainingPlan plan = Parse(kAdapterPlan);  // six rows a step, twenty-four records
  plan.mutable_stage(0)->clear_steps();
  plan.mutable_stage(0)->set_epochs(1.5);
  TrainOptions options = Options(World(), plan, FreshOutput("epochs_planned"));
  EXPECT_EQ(PreviewOk(options).stages.at(0).steps, 6);
  options.stop_after_step = 2;
  TrainOk(options);
  options.stop_after_step = 0;
  options.resume = true;
  EXPECT_EQ(TrainOk(options).steps, 6);
  TrainingPlan steps = plan;
  steps.mutable_stage(0)->clear_epochs();
  steps.mutable_stage(0)->set_steps(6);
  TrainOk(Options(World(), steps, FreshOutput("steps_planned")));
  EXPECT_EQ(After("epochs_planned"), After("steps_planned"));
}

// The content of a checkpoint, without the counts of the optimizer.
int64_t TensorBytes(const std::string& checkpoint) {
  const auto tensors = ReadSafetensors(checkpoint + "/tensors.safetensors");
  EXPECT_TRUE(tensors.ok()) << tensors.status();
  int64_t bytes = 0;
  for (const auto& [name, tensor] : *tensors) {
    if (absl::StartsWith(name, "optimizer.step")) continue;
    bytes += tensor.numel() * static_cast<int64_t>(tensor.element_size());
  }
  return bytes;
}

TEST(TrainerTest, ACheckpointHasTheSizeThatThePreviewSays) {
  for (const char* text : {kFreshPlan, kAdapterPlan}) {
    for (const float decay : {0.0f, 0.9f}) {
      TrainingPlan plan = Parse(text);
      plan.clear_evaluation();
      plan.mutable_stage(0)->mutable_optimizer()->set_ema_decay(decay);
      TrainOptions options = Options(World(), plan, FreshOutput("sized"));
      options.stop_after_step = 3;
      const int64_t said = PreviewOk(options).stages.at(0).checkpoint_bytes;
      TrainOk(options);
      const int64_t is = TensorBytes(World() + "/sized/checkpoint/000000003");
      EXPECT_LE(is, said) << plan.name() << decay;
      // Of the fresh model no loss reaches 816 elements, of which AdamW then keeps nothing.
      EXPECT_EQ(said - is, plan.has_fresh_model() ? 816 * 8 : 0) << plan.name() << decay;
    }
  }
}

// Numbers of the pictures that an encoder saw in a run with so many loader threads.
std::vector<int> Seen(const TrainingPlan& plan, const std::string& file, int threads) {
  fs::remove(file);
  TrainOptions options = Options(World(), plan, FreshOutput("ordered"));
  options.loader_threads = threads;
  TrainOk(options);
  std::vector<int> seen;
  std::stringstream text(ReadText(file));
  for (int number = 0; text >> number;) seen.push_back(number);
  return seen;
}

TEST(TrainerTest, ARunTakesItsRecordsInTheOrderOfTheDryRunWithAnyNumberOfLoaderThreads) {
  WriteText(World() + "/ordered.textproto", R"(
    name: "ordered" task {
      name: "feel" input { name: "image" modality: "faulty" }
      prompt: " what is it?" target: " {caption:text}" metric: "exact_match"
    })");
  TrainingPlan plan = Parse(R"(
    name: "ordered" seed: 5 model: "base/model" templates: "ordered.textproto"
    new_modality { modality { id: "faulty" } connection { shared_type_row: -1 } }
    stage {
      name: "connection" trainable: "connection:faulty" steps: 7 batch: 4 micro_batches: 2
      optimizer { learning_rate: 1e-3 }
      source { name: "first" task: "feel" path: "caption.jsonl" limit: 10 }
      source { name: "second" task: "feel" path: "caption.jsonl" unlock_step: 2 weight: 2 }
    })");
  const std::string seen = World() + "/seen.txt", order = World() + "/order.jsonl";
  (*plan.mutable_new_modality(0)->mutable_modality()->mutable_options())["seen"] = seen;
  PreviewOk(Options(World(), plan, "ordered"), order);
  std::vector<int> expected;
  std::stringstream lines(ReadText(order));
  for (std::string line; std::getline(lines, line);) {
    const std::string key = Json::parse(line).at("key");
    int number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(key.substr(key.rfind(':') + 1), &number)) << key;
    expected.push_back(number - 1);  // of the picture; lines are counted from 1
  }
  ASSERT_EQ(expected.size(), 7u * 2 * 4);
  for (const int threads : {1, 3}) {
    std::vector<int> trained = Seen(plan, seen, threads);
    ASSERT_GE(trained.size(), expected.size());
    trained.erase(trained.begin(), trained.end() - static_cast<int64_t>(expected.size()));
    EXPECT_THAT(trained, ElementsAreArray(expected)) << threads << " threads";
  }
}

TEST(TrainerTest, AProbeMeasuresAFewStepsOfEveryStageAndLeavesNothing) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_steps(100);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("cached");
  plan.mutable_stage(1)->mutable_cache()->set_enabled(true);
  EvaluationPlan* evaluation = plan.add_evaluation();
  evaluation->set_name("caption");
  evaluation->set_task("caption");
  evaluation->set_path("caption.jsonl");
  plan.mutable_stage(0)->mutable_validation()->set_every(10);
  const TrainOptions options = Options(World(), plan, FreshOutput("probed"));
  const PlanPreview preview = PreviewOk(options);
  EXPECT_EQ(preview.stages.at(0).validations, 10);
  const auto probe = ProbePlan(options, preview, TheRuntime());
  ASSERT_TRUE(probe.ok()) << probe.status();
  ASSERT_EQ(probe->stages.size(), 2u);
  double stages = 0;
  for (const StageProbe& stage : probe->stages) {
    EXPECT_EQ(stage.steps, kProbeSteps);
    EXPECT_GT(stage.part_seconds.at("backbone"), 0);
    EXPECT_NEAR(stage.seconds, 100 * stage.seconds_per_step + stage.encoder_seconds, 1e-9);
    stages += stage.seconds;
  }
  EXPECT_EQ(probe->stages[0].encoder_seconds, 0) << "nothing is kept, so it is in every step";
  EXPECT_GT(probe->evaluation_seconds, 0);
  EXPECT_NEAR(probe->validation_seconds, 10 * probe->evaluation_seconds, 1e-9);
  EXPECT_NEAR(probe->seconds, stages + probe->validation_seconds + probe->evaluation_seconds, 1e-9);
  EXPECT_GT(probe->peak_memory_mb, 0);
  EXPECT_FALSE(fs::exists(World() + "/probed"));
}

}  // namespace
}  // namespace unival::trainer_tests
