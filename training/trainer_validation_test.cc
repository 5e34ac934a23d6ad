// Validation during a run, early stopping, kept checkpoints, skipped batches, models from
// checkpoints, more steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "backbone/storage/safetensors.h"
#include "sdk/base/test_files.h"
#include "training/evaluation/evaluate.h"
#include "training/run/checkpoint.h"
#include "training/run/export.h"
#include "training/run/non_finite.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Everything that a validation could change by mistake: dropout, BatchNorm, two sources, a moving
// average.
TrainingPlan ValidatedPlan(int64_t every) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->mutable_optimizer()->set_ema_decay(0.9f);
  plan.mutable_stage(0)->mutable_validation()->set_every(every);
  return plan;
}

std::vector<Json> LinesWith(const std::string& output, const std::string& key) {
  std::vector<Json> lines;
  for (Json& line : Log(output)) {
    if (!line.contains(key)) continue;
    line.erase("seconds");
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<double> StepLosses(const std::string& output) {
  std::vector<double> losses;
  for (const Json& line : LinesWith(output, "loss")) losses.push_back(line.at("loss"));
  return losses;
}

Json Results(const std::string& output) {
  return Json::parse(ReadText(World() + "/" + output + "/results.json"));
}

ExportResult ExportOk(const ExportOptions& options) {
  fs::remove_all(options.output);
  const auto exported = ExportCheckpoint(options, TheRuntime());
  EXPECT_TRUE(exported.ok()) << exported.status();
  return exported.ok() ? *exported : ExportResult();
}

ExportOptions ExportOf(const std::string& output) {
  ExportOptions options;
  options.run = World() + "/" + output;
  options.output = World() + "/exported";
  return options;
}

// Hashes of every tensor of a model directory.
std::map<std::string, std::string> TensorsOf(const std::string& directory) {
  const auto model = Model::Load(directory, TheRuntime());
  EXPECT_TRUE(model.ok()) << model.status();
  std::map<std::string, std::string> hashes;
  if (!model.ok()) return hashes;
  for (const TensorHash& hash : HashState(**model)) hashes[hash.name] = hash.sha256;
  return hashes;
}

TEST(TrainerTest, ValidationChangesNothingAboutTheWeights) {
  TrainOk(Options(World(), ValidatedPlan(0), FreshOutput("blind")));
  TrainOk(Options(World(), ValidatedPlan(2), FreshOutput("seeing")));
  EXPECT_EQ(After("blind"), After("seeing"));
  EXPECT_EQ(StepLosses("blind"), StepLosses("seeing"));
  const std::vector<Json> validations = LinesWith("seeing", "validation");
  ASSERT_EQ(validations.size(), 3u);
  EXPECT_EQ(validations[0].at("step"), 2);
  EXPECT_EQ(validations[0].at("judged_by"), "exact_match");
  EXPECT_EQ(validations[2].at("metrics"),
            Results("seeing").at("evaluations").at("caption").at("metrics"));
}

TEST(TrainerTest, AValidationSaysWhatALaterEvaluationOfItsCheckpointSays) {
  for (const bool half : {false, true}) {
    TrainingPlan plan = ValidatedPlan(3);
    plan.set_save_half(half);
    plan.mutable_stage(0)->set_checkpoint_every(3);
    plan.mutable_stage(0)->set_keep_last(5);
    TrainOk(Options(World(), plan, FreshOutput("measured")));
    ExportOptions exported = ExportOf("measured");
    exported.step = 3;
    ExportOk(exported);
    PipelineOptions options;
    options.model = exported.output;
    options.runtime.threads = 1;
    auto pipeline = Pipeline::Create(options);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    const Task* task = *(*pipeline)->task("caption");
    auto source = OpenTaskSource(*task, World() + "/caption.jsonl", {}, 4);
    ASSERT_TRUE(source.ok()) << source.status();
    EvaluationOptions evaluation;
    evaluation.results_file = World() + "/measured_later.jsonl";
    ASSERT_TRUE(Evaluate(**pipeline, "caption", **source, evaluation).ok());
    EXPECT_EQ(ReadText(evaluation.results_file),
              ReadText(World() + "/measured/validation/caption/000000003.jsonl"))
        << "answers and their scores, half: " << half;
  }
}

TEST(TrainerTest, ARunThatIsStoppedBetweenValidationsGoesOnToTheSameBits) {
  TrainingPlan plan = ValidatedPlan(2);
  plan.mutable_stage(0)->mutable_validation()->set_keep_best(true);
  TrainOk(Options(World(), plan, FreshOutput("valid_whole")));
  TrainOptions options = Options(World(), plan, FreshOutput("valid_stopped"));
  for (const int64_t stop : {2, 3, 5, 0}) {
    options.stop_after_step = stop;
    TrainOk(options);
    options.resume = true;
  }
  EXPECT_EQ(After("valid_whole"), After("valid_stopped"));
  EXPECT_EQ(LinesWith("valid_whole", "validation"), LinesWith("valid_stopped", "validation"));
  EXPECT_EQ(CheckpointSteps(World() + "/valid_stopped/best"),
            CheckpointSteps(World() + "/valid_whole/best"));
}

TEST(TrainerTest, KeepsTheLastCheckpointsAndThatOfTheBestValidation) {
  TrainingPlan plan = ValidatedPlan(1);
  plan.mutable_stage(0)->mutable_validation()->set_keep_best(true);
  plan.mutable_stage(0)->set_checkpoint_every(1);
  plan.mutable_stage(0)->set_keep_last(2);
  TrainOk(Options(World(), plan, FreshOutput("kept")));
  EXPECT_THAT(CheckpointSteps(World() + "/kept/checkpoint"), ElementsAre(5, 6));
  int64_t best = 0;
  for (const Json& line : LinesWith("kept", "is_best")) {
    if (line.at("is_best")) best = line.at("step");
  }
  EXPECT_THAT(CheckpointSteps(World() + "/kept/best"), ElementsAre(best));
  const auto list = ListCheckpoints(World() + "/kept");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->best, best);
  ExportOptions exported = ExportOf("kept");
  exported.plan_file = World() + "/plan.textproto";  // instead of where it was
  exported.best = true;
  EXPECT_EQ(ExportOk(exported).step, best);
}

// The metric of a hardly trained model is 0 at every validation.
TEST(TrainerTest, AStageEndsWhenNoValidationIsBetterAndTheNextBegins) {
  TrainingPlan plan = ValidatedPlan(1);
  plan.mutable_stage(0)->mutable_validation()->set_patience(2);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("second");
  plan.mutable_stage(1)->clear_validation();
  plan.mutable_stage(1)->mutable_validation()->set_every(1);
  plan.mutable_stage(1)->mutable_validation()->set_target(0);
  TrainOk(Options(World(), plan, FreshOutput("patient")));
  const Json stages = Results("patient").at("stages");
  EXPECT_EQ(stages[0].at("steps"), 3);
  EXPECT_EQ(stages[0].at("ended_by"), "patience");
  EXPECT_EQ(stages[1].at("steps"), 1);
  EXPECT_EQ(stages[1].at("ended_by"), "target");
  EXPECT_EQ(Results("patient").at("steps"), 4);
  TrainOptions options = Options(World(), plan, FreshOutput("patient_stopped"));
  for (const int64_t stop : {2, 3, 0}) {
    options.stop_after_step = stop;
    EXPECT_EQ(TrainOk(options).steps, stop == 0 ? 4 : stop);
    options.resume = true;
  }
  EXPECT_EQ(After("patient"), After("patient_stopped"));
}

TEST(TrainerTest, ASourceWaitsUntilValidationsAreNoBetter) {
  TrainingPlan plan = ValidatedPlan(2);
  plan.mutable_stage(0)->set_steps(9);
  SourcePlan* waiting = plan.mutable_stage(0)->mutable_source(1);
  waiting->clear_unlock_step();
  waiting->set_unlock_after_plateau(1);
  TrainOk(Options(World(), plan, FreshOutput("plateau")));
  const std::vector<Json> unlocked = LinesWith("plateau", "unlocked");
  ASSERT_EQ(unlocked.size(), 1u);
  EXPECT_EQ(unlocked[0].at("step"), 4) << "the second validation is no better";
  for (const Json& line : LinesWith("plateau", "loss")) {
    EXPECT_EQ(line.at("source_loss").contains("copy"), line.at("step") > 4) << line;
  }
  TrainOptions options = Options(World(), plan, FreshOutput("plateau_stopped"));
  for (const int64_t stop : {3, 4, 6, 0}) {
    options.stop_after_step = stop;
    TrainOk(options);
    options.resume = true;
  }
  EXPECT_EQ(After("plateau"), After("plateau_stopped"));
  EXPECT_EQ(StepLosses("plateau"), StepLosses("plateau_stopped"));
}

TEST(TrainerTest, AMetricThatTheJudgeDoesNotGiveIsSaidBeforeTheFirstStep) {
  TrainingPlan plan = ValidatedPlan(1);
  plan.mutable_stage(0)->mutable_validation()->set_metric("cider");
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("no_metric")), TheRuntime()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("gives exact_match"));
  EXPECT_FALSE(fs::exists(World() + "/no_metric/log.jsonl"));
}

// Records of a modality whose network has BatchNorm, of which one record, the eighth, is no number.
TrainingPlan BrokenRecordPlan() {
  WriteText(World() + "/broken_record.textproto", R"(
    name: "broken" task {
      name: "feel" input { name: "image" modality: "faulty" }
      prompt: " what is it?" target: " {caption:text}" metric: "exact_match"
    })");
  TrainingPlan plan = Parse(R"(
    name: "broken" seed: 5 model: "base/model" templates: "broken_record.textproto"
    new_modality {
      modality { id: "faulty" options { key: "fault" value: "seventh_is_no_number" } }
      connection { shared_type_row: -1 }
    }
    stage {
      name: "both" trainable: "connection:faulty" trainable: "modality:faulty" steps: 4 batch: 6
      optimizer { learning_rate: 1e-2 } log_every: 1
      source { name: "feel" task: "feel" path: "caption.jsonl" }
    })");
  return plan;
}

TEST(TrainerTest, ABatchWhoseLossIsNoNumberIsLeftOutAndItsRecordNamed) {
  const TrainingPlan plan = BrokenRecordPlan();
  TrainOk(Options(World(), plan, FreshOutput("broken")));
  const std::vector<Json> skipped = LinesWith("broken", "skipped");
  ASSERT_EQ(skipped.size(), 1u) << "four batches of six records are one epoch";
  EXPECT_THAT(skipped[0].at("records").get<std::vector<std::string>>(),
              ElementsAre(HasSubstr("caption.jsonl:8")));
  EXPECT_EQ(Results("broken").at("skipped_batches"), 1);
  const auto tensors = ReadSafetensors(World() + "/broken/model/modality.faulty.safetensors");
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  bool has_statistics = false;
  for (const auto& [name, tensor] : *tensors) {
    has_statistics |= name.find("running_mean") != std::string::npos;
    EXPECT_TRUE(tensor.to(at::kFloat).sub(tensor.to(at::kFloat)).abs().sum().item<double>() == 0)
        << name << " is not finite";
  }
  EXPECT_TRUE(has_statistics);
}

TEST(TrainerTest, ARunWhoseEveryBatchIsLeftOutIsAnErrorAndLeavesNoModel) {
  TrainingPlan plan = BrokenRecordPlan();
  plan.mutable_stage(0)->set_batch(24);  // all records, the broken one among them
  plan.mutable_stage(0)->set_steps(2);
  const TrainOptions options = Options(World(), plan, FreshOutput("broken_all"));
  const absl::Status status = Train(options, TheRuntime()).status();
  EXPECT_TRUE(IsNonFinite(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no step was taken: all 2 batches"));
  EXPECT_FALSE(fs::exists(World() + "/broken_all/model"));
}

TEST(TrainerTest, ARunEndsWhenMoreBatchesThanAllowedAreLeftOutAndGoesOnWhenMoreAre) {
  TrainingPlan plan = BrokenRecordPlan();
  plan.mutable_stage(0)->set_max_skipped(0);
  TrainOptions options = Options(World(), plan, FreshOutput("broken_ends"));
  const absl::Status status = Train(options, TheRuntime()).status();
  EXPECT_TRUE(IsNonFinite(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("caption.jsonl:8"));
  EXPECT_FALSE(fs::exists(World() + "/broken_ends/model"));
  plan.mutable_stage(0)->set_max_skipped(1);
  options.resume = true;
  EXPECT_TRUE(TrainOk(options).finished);
}

TEST(TrainerTest, AModelOfAStoppedRunHasAReceiptThatSaysSo) {
  TrainingPlan plan = Parse(kAdapterPlan);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("encoder");
  plan.mutable_stage(1)->set_trainable(0, "modality:image");
  TrainOptions options = Options(World(), plan, FreshOutput("halfway"));
  options.stop_after_step = 5;
  EXPECT_FALSE(TrainOk(options).finished);
  EXPECT_FALSE(fs::exists(World() + "/halfway/model"));
  const ExportOptions exported = ExportOf("halfway");
  const ExportResult result = ExportOk(exported);
  EXPECT_EQ(result.step, 5);
  EXPECT_FALSE(result.finished);
  const Json receipt = Json::parse(ReadText(result.receipt_file));
  EXPECT_EQ(receipt.at("unfinished"), (Json{{"stages", 1}, {"steps", 5}, {"planned_steps", 24}}));
  const auto check =
      VerifyReceipt(result.receipt_file, exported.output, World() + "/base/model", TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
  EXPECT_EQ(check->frozen_changed, 0);
  // A receipt that says that the run was elsewhere does not hold: at its end, or a step later.
  WriteText(World() + "/lie/plan.textproto", ReadText(World() + "/halfway/plan.textproto"));
  for (const int64_t steps : {24, 6}) {
    Json lie = receipt;
    lie["unfinished"]["steps"] = steps;
    if (steps == 24) lie.erase("unfinished");
    WriteText(World() + "/lie/receipt.json", lie.dump());
    const auto lied = VerifyReceipt(World() + "/lie/receipt.json", exported.output,
                                    World() + "/base/model", TheRuntime());
    ASSERT_TRUE(lied.ok()) << lied.status();
    EXPECT_THAT(lied->problems, ::testing::Contains(HasSubstr("stopped after 5 of 24 steps")));
  }
  // The run continues as if its checkpoint had not been exported, and its own model is the one at
  // its end.
  options.stop_after_step = 0;
  options.resume = true;
  TrainOk(options);
  EXPECT_TRUE(ExportOk(exported).finished);
  EXPECT_EQ(TensorsOf(exported.output), TensorsOf(World() + "/halfway/model"));
}

TEST(TrainerTest, AModelOfARunThatEndedIsTheRunsOwn) {
  TrainOk(Options(World(), ValidatedPlan(0), FreshOutput("ended")));  // with a moving average
  const ExportOptions exported = ExportOf("ended");
  EXPECT_TRUE(ExportOk(exported).finished);
  EXPECT_EQ(TensorsOf(exported.output), TensorsOf(World() + "/ended/model"));
  ExportOptions none = exported;
  none.output = World() + "/exported_none";
  none.step = 4;
  const absl::Status status = ExportCheckpoint(none, TheRuntime()).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("there are: 6"));
  EXPECT_TRUE(absl::IsFailedPrecondition(ExportCheckpoint(exported, TheRuntime()).status()))
      << "a folder that is there is not replaced";
}

TEST(TrainerTest, ARunGoesOnWithMoreStepsAsIfThereHadAlwaysBeenSoMany) {
  TrainingPlan plan = ValidatedPlan(0);
  plan.clear_evaluation();
  OptimizerPlan* optimizer = plan.mutable_stage(0)->mutable_optimizer();
  optimizer->set_schedule("linear");
  optimizer->clear_warmup_ratio();
  optimizer->set_warmup_steps(2);
  optimizer->set_decay_steps(20);
  TrainingPlan more = plan;
  more.mutable_stage(0)->set_steps(10);
  TrainOk(Options(World(), more, FreshOutput("ten")));
  for (const int64_t stop : {4, 0}) {  // inside the stage; at the end of a run
    TrainOptions options = Options(World(), plan, FreshOutput("six"));
    options.stop_after_step = stop;
    TrainOk(options);
    options.stop_after_step = 0;
    options.resume = true;
    options.plan = &more;
    EXPECT_EQ(TrainOk(options).steps, 10);
    EXPECT_EQ(After("ten"), After("six"));
    EXPECT_EQ(StepLosses("ten"), StepLosses("six"));
    const Json record = Json::parse(ReadText(World() + "/six/run.json"));
    EXPECT_EQ(record.at("earlier").at(0).at("until_step"), stop == 0 ? 6 : stop);
    options.plan = &plan;
    EXPECT_THAT(std::string(Train(options, TheRuntime()).status().message()),
                HasSubstr("stage[0].steps"))
        << "fewer steps than were taken";
  }
}

TEST(TrainerTest, AStageThatHasEndedGetsNoMoreSteps) {
  TrainingPlan plan = Parse(kAdapterPlan);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("again");
  TrainOptions options = Options(World(), plan, FreshOutput("second_stage"));
  options.stop_after_step = 14;
  TrainOk(options);
  TrainingPlan more = plan;
  more.mutable_stage(0)->set_steps(15);
  options.plan = &more;
  options.resume = true;
  EXPECT_THAT(std::string(Train(options, TheRuntime()).status().message()),
              HasSubstr("stage[0].steps: expected 12"));
}

TEST(TrainerTest, TheLogSaysRowsBySourceAndWhereTheSecondsWent) {
  TrainOk(Options(World(), ValidatedPlan(3), FreshOutput("parts")));
  const std::vector<Json> lines = LinesWith("parts", "loss");
  EXPECT_EQ(lines.back().at("source_rows"), (Json{{"caption", 28}, {"copy", 20}}))
      << "copy is unlocked behind the first step";
  EXPECT_EQ(lines.back().at("rows"), 48);
  EXPECT_EQ(Results("parts").at("stages").at(0).at("rows"), lines.back().at("source_rows"));
  double backbone = 0, validation = 0;
  for (const Json& line : lines) {
    for (const char* part :
         {"reading", "decoding", "waiting", "encoder", "backbone", "optimizer"}) {
      EXPECT_TRUE(line.at("part_seconds").contains(part)) << part;
    }
    backbone += line.at("part_seconds").at("backbone").get<double>();
    validation += line.at("part_seconds").value("validation", 0.0);
  }
  EXPECT_GT(backbone, 0);
  EXPECT_GT(validation, 0);
}

}  // namespace
}  // namespace unival::trainer_tests
