#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "runtime/pipeline.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/test_files.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"
#include "training/run/batch_loader.h"
#include "training/run/non_finite.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TrainerTest, CachedTrainingEqualsUncachedToTheBit) {
  TrainingPlan plan = Parse(kAdapterPlan);
  const TrainResult plain = TrainOk(Options(World(), plan, FreshOutput("uncached")));
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  const TrainResult cached = TrainOk(Options(World(), plan, FreshOutput("cached")));
  EXPECT_EQ(Losses("uncached"), Losses("cached"));
  EXPECT_EQ(After("uncached"), After("cached"));
  EXPECT_EQ(plain.encoder_calls, 12 * 6);
  EXPECT_EQ(cached.encoder_calls, kImages);
}

TEST(TrainerTest, ACacheThatIsFullChangesNoBit) {
  TrainingPlan plan = Parse(kAdapterPlan);
  TrainOk(Options(World(), plan, FreshOutput("no_cache")));
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  TrainOptions options = Options(World(), plan, FreshOutput("full_cache"));
  options.cache_limit_mb = 0;
  EXPECT_EQ(TrainOk(options).encoder_calls, 12 * 6) << "nothing is kept";
  EXPECT_EQ(Losses("no_cache"), Losses("full_cache"));
  EXPECT_EQ(After("no_cache"), After("full_cache"));
}

TEST(TrainerTest, TheSecondEpochMakesNoEncoderCall) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  TrainOk(Options(World(), plan, FreshOutput("epochs")));
  const std::vector<Json> log = Log("epochs");
  ASSERT_EQ(log.size(), 12u);
  EXPECT_EQ(log[3].at("encoder_calls"), kImages) << "four steps of six rows are one epoch";
  EXPECT_EQ(log[11].at("encoder_calls"), kImages);
  EXPECT_EQ(log[11].at("cache_hits"), 12 * 6 - kImages);
  // A second run over the same cache makes none at all.
  TrainOptions options = Options(World(), plan, FreshOutput("epochs_again"));
  options.cache_dir = World() + "/epochs/cache";
  EXPECT_EQ(TrainOk(options).encoder_calls, 0);
  EXPECT_EQ(Losses("epochs"), Losses("epochs_again"));
}

TEST(TrainerTest, ALossThatIsNotANumberStopsTheRunAndOverwritesNothing) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(1e30f);
  plan.mutable_stage(0)->mutable_optimizer()->clear_schedule();
  plan.mutable_stage(0)->set_checkpoint_every(1);
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("nan")), TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(IsNonFinite(status));
  EXPECT_THAT(status.message(), HasSubstr("lower the learning rate"));
  EXPECT_FALSE(fs::exists(World() + "/nan/model"));
}

TEST(TrainerTest, CountsMediaThatCannotBeDecodedAndStopsAboveOnePercent) {
  std::string captions = ReadText(World() + "/caption.jsonl");
  WriteText(World() + "/images/bad.png", "this is not a picture");
  WriteText(World() + "/bad.jsonl",
            captions + R"({"image": "images/bad.png", "caption": "red"})" + "\n");
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_path("bad.jsonl");
  plan.mutable_stage(0)->set_batch(5);
  plan.mutable_stage(0)->set_steps(5);  // each record once
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("bad")), TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_FALSE(IsNonFinite(status)) << "the same code for another reason";
  EXPECT_THAT(status.message(), HasSubstr("1 of 25"));
  EXPECT_THAT(status.message(), HasSubstr("bad.png"));
  EXPECT_THAT(ReadText(World() + "/bad/log.jsonl"), HasSubstr("bad.jsonl:25"));
  // Rare enough, it is left out and counted.
  std::string many;
  for (int i = 0; i < 6; ++i) many += captions;
  WriteText(World() + "/rare.jsonl",
            many + R"({"image": "images/bad.png", "caption": "red"})" + "\n");
  plan.mutable_stage(0)->mutable_source(0)->set_path("rare.jsonl");
  plan.mutable_stage(0)->set_steps(29);
  TrainOk(Options(World(), plan, FreshOutput("rare")));
  EXPECT_EQ(Json::parse(ReadText(World() + "/rare/results.json")).at("decode_failures"), 1);
}

// A stage over records of the modality of training/testdata/faulty.cc.
TrainingPlan FaultyPlan(const std::string& fault) {
  WriteText(World() + "/faulty.textproto", R"(
    name: "faulty"
    task {
      name: "feel"
      input { name: "image" modality: "faulty" }
      prompt: " what is it?"
      target: " {caption:text}"
      metric: "exact_match"
    })");
  TrainingPlan plan = Parse(R"(
    name: "faulty" seed: 5 model: "base/model" templates: "faulty.textproto"
    new_modality {
      modality { id: "faulty" }
      connection { shared_type_row: -1 }
    }
    stage {
      name: "connection" trainable: "connection:faulty" steps: 2 batch: 6
      optimizer { learning_rate: 1e-2 }
      source { name: "feel" task: "feel" path: "caption.jsonl" }
    })");
  auto& options = *plan.mutable_new_modality(0)->mutable_modality()->mutable_options();
  if (!fault.empty()) options["fault"] = fault;
  return plan;
}

TEST(TrainerTest, APictureBeyondThePositionGridIsSaidBeforeTheFirstStep) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_fresh_model()->mutable_backbone()->set_image_bucket_size(2);
  plan.clear_evaluation();
  ImageInput* image = nullptr;
  for (ModalityConfig& config : *plan.mutable_fresh_model()->mutable_modality()) {
    if (config.has_image()) image = config.mutable_image();
  }
  ASSERT_NE(image, nullptr);
  image->set_width(64);
  image->set_height(64);
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("small_grid")), TheRuntime()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("image_bucket_size"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("stage[0].source["));
  EXPECT_FALSE(fs::exists(World() + "/small_grid/log.jsonl"));
}

TEST(TrainerTest, APictureOfAnEvaluationBeyondThePositionGridIsSaidToo) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_fresh_model()->mutable_backbone()->set_image_bucket_size(2);
  ImageInput& image = *plan.mutable_fresh_model()->mutable_modality(0)->mutable_image();
  image.set_width(64);
  image.set_height(64);
  // Training reads texts alone. The first picture of the evaluation cannot be read.
  plan.mutable_stage(0)->mutable_source()->DeleteSubrange(0, 1);
  plan.mutable_stage(0)->mutable_source(0)->clear_unlock_step();
  WriteText(World() + "/grid.jsonl", Json{{"image", "none.png"}, {"caption", "red"}}.dump() + "\n" +
                                         ReadText(World() + "/caption.jsonl"));
  plan.mutable_evaluation(0)->set_path("grid.jsonl");
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("small_eval_grid")), TheRuntime()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("evaluation[0]: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("grid.jsonl:2: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("image_bucket_size"));
}

TEST(TrainerTest, TargetsThatWillBeCutAreSaidBeforeTheFirstStep) {
  std::string tasks = kTasks;
  for (size_t at; (at = tasks.find("max_tokens: 6")) != std::string::npos;)
    tasks.replace(at, 13, "max_tokens: 1");
  WriteText(World() + "/short.textproto", tasks);
  TrainingPlan plan = Parse(kFreshPlan);
  plan.set_templates(0, "short.textproto");
  plan.mutable_stage(0)->set_steps(1);
  plan.mutable_stage(0)->mutable_source(1)->clear_unlock_step();
  plan.clear_evaluation();
  const auto said = [&](const std::string& output) {
    TrainOptions options = Options(World(), plan, FreshOutput(output));
    options.quiet = false;
    ::testing::internal::CaptureStderr();
    TrainOk(options);
    return ::testing::internal::GetCapturedStderr();
  };
  const std::string warned = said("cut_answers");
  for (const char* part :
       {"stage[0].source[1]: ", " of 24 targets have more tokens than the 1 ", "\"copy\"",
        "copy.jsonl:", "Set generation { max_tokens: ", "short.textproto"}) {
    EXPECT_THAT(warned, HasSubstr(part));
  }
  plan.set_templates(0, "tasks.textproto");
  EXPECT_THAT(said("whole_answers"), ::testing::Not(HasSubstr("max_tokens")));
}

TEST(TrainerTest, ATextThatIsTooLongIsCountedLikeADamagedPicture) {
  const std::string captions = ReadText(World() + "/caption.jsonl");
  std::string words = "red";
  for (int i = 0; i < 500; ++i) words += " red";
  WriteText(World() + "/long.jsonl",
            captions + Json{{"image", "images/0.png"}, {"caption", words}}.dump() + "\n");
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_path("long.jsonl");
  plan.mutable_stage(0)->set_batch(5);
  plan.mutable_stage(0)->set_steps(50);  // each record ten times
  plan.clear_evaluation();
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("long")), TheRuntime()).status();
  // More than one in a hundred, and named by file and line.
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << status;
  EXPECT_THAT(status.message(), HasSubstr("long.jsonl:25: the target has"));
  EXPECT_THAT(ReadText(World() + "/long/log.jsonl"), HasSubstr("long.jsonl:25: the target has"));
}

TEST(TrainerTest, APromptThatIsTooLongIsAFailureOfItsRecordInAnEvaluation) {
  std::string words = "red";
  for (int i = 0; i < 500; ++i) words += " red";
  std::string texts = Json{{"text", words}}.dump() + "\n";
  for (int i = 0; i < 20; ++i) texts += Json{{"text", "red"}}.dump() + "\n";
  WriteText(World() + "/long_prompt.jsonl", texts);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_steps(1);
  plan.clear_evaluation();
  EvaluationPlan* evaluation = plan.add_evaluation();
  evaluation->set_name("long");
  evaluation->set_task("copy");
  evaluation->set_path("long_prompt.jsonl");
  const TrainResult result = TrainOk(Options(World(), plan, FreshOutput("long_prompt")));
  const auto found = result.evaluations.find("long");
  ASSERT_NE(found, result.evaluations.end());
  EXPECT_EQ(found->second.samples, 21);
  EXPECT_EQ(found->second.unreadable, 1);
  ASSERT_EQ(found->second.failures.size(), 1u);
  EXPECT_THAT(found->second.failures[0], HasSubstr("long_prompt.jsonl:1: the prompt has"));
}

TEST(TrainerTest, AModalityThatDoesNotWorkIsNotTakenForDamagedFiles) {
  TrainOk(Options(World(), FaultyPlan(""), FreshOutput("faultless")));
  const std::pair<const char*, const char*> faults[] = {{"configuration", "the lens was never set"},
                                                        {"lost_file", "lens.bin"}};
  for (const auto& [fault, says] : faults) {
    const TrainingPlan plan = FaultyPlan(fault);
    const absl::Status status =
        Train(Options(World(), plan, FreshOutput("faulty")), TheRuntime()).status();
    EXPECT_THAT(status.message(), HasSubstr(says));
    EXPECT_NE(status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_THAT(ReadText(World() + "/faulty/log.jsonl"), Not(HasSubstr(says)));
  }
}

// Besides one call of the encoder for each row, six in a step.
TEST(TrainerTest, TheFirstRecordIsEncodedOnceForAllStagesAndNotWhenARunGoesOn) {
  TrainingPlan plan = FaultyPlan("");
  const std::string calls = World() + "/encoder_calls.txt";
  (*plan.mutable_new_modality(0)->mutable_modality()->mutable_options())["calls"] = calls;
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("again");
  TrainOptions options = Options(World(), plan, FreshOutput("counted"));
  options.stop_after_step = 1;
  TrainOk(options);
  const auto count = [&calls] {
    const std::string text = ReadText(calls);
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(count(), 1 + 6);
  fs::remove(calls);
  options.resume = true;
  options.stop_after_step = 0;
  TrainOk(options);
  EXPECT_EQ(count(), 3 * 6);
}

TEST(TrainerTest, AnErrorOfAnEncoderIsNotTakenForALossThatIsNotANumber) {
  const TrainingPlan plan = FaultyPlan("encoder");
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("faulty_encoder")), TheRuntime()).status();
  EXPECT_THAT(status.message(), HasSubstr("the lens turned past its end"));
  EXPECT_THAT(status.message(), Not(HasSubstr("learning rate")));
  EXPECT_FALSE(IsNonFinite(status));
}

// The base model over `records`, answers going to `results`.
absl::StatusOr<EvaluationResult> EvaluateBase(const std::string& records,
                                              const std::string& results) {
  PipelineOptions options;
  options.model = World() + "/base/model";
  options.templates = {World() + "/tasks.textproto"};
  options.runtime.threads = 1;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task("caption"));
  UNIVAL_ASSIGN_OR_RETURN(auto source, OpenTaskSource(*task, records, {}, 0));
  EvaluationOptions evaluation;
  evaluation.results_file = results;
  return Evaluate(*pipeline, "caption", *source, evaluation);
}

TEST(TrainerTest, AnEvaluationNeverWritesOverItsOwnData) {
  const std::string data = World() + "/own.jsonl", before = ReadText(World() + "/caption.jsonl");
  WriteText(data, before);
  fs::remove(World() + "/link.jsonl");
  fs::create_symlink("own.jsonl", World() + "/link.jsonl");
  for (const std::string& results : {data, World() + "/link.jsonl"}) {
    const absl::Status status = EvaluateBase(data, results).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("choose another name"));
  }
  EXPECT_EQ(ReadText(data), before);
  EXPECT_EQ(EvaluateBase(data, World() + "/nowhere/out.jsonl").status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(EvaluateBase(data, World() + "/out.jsonl").ok());
  const std::string answers = ReadText(World() + "/out.jsonl");
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), kImages);
}

TEST(TrainerTest, MissingMediaCountAsWrongAndTooManyOfThemAreAnError) {
  const std::string captions = ReadText(World() + "/caption.jsonl");
  const auto gone = [](const std::string& image) {
    return Json{{"image", image}, {"caption", "red"}}.dump() + "\n";
  };
  WriteText(World() + "/gone.jsonl", gone("images/gone.png") + gone("gone.tar:1.png") + captions);
  auto few = EvaluateBase(World() + "/gone.jsonl", World() + "/gone.out");
  ASSERT_TRUE(few.ok()) << few.status();
  EXPECT_EQ(few->samples, kImages + 2);
  EXPECT_EQ(few->unreadable, 2);
  EXPECT_THAT(few->first_unreadable, HasSubstr("images/gone.png"));
  EXPECT_EQ(CheckReadable(*few), absl::OkStatus());
  EXPECT_THAT(ReadText(World() + "/gone.out"), HasSubstr("gone.tar:1.png"));
  WriteText(World() + "/gone.jsonl",
            gone("images/gone.png") + gone("gone.tar:1.png") + gone("images/lost.png") + captions);
  auto many = EvaluateBase(World() + "/gone.jsonl", "");
  ASSERT_TRUE(many.ok()) << many.status();
  const absl::Status status = CheckReadable(*many);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("3 of 27"));
  EXPECT_THAT(status.message(), HasSubstr("images/gone.png"));
}

class ThrowingSource : public Source {
 public:
  const std::string& path() const override { return path_; }
  int64_t size() const override { return 8; }
  absl::StatusOr<TaskSample> Read(int64_t) const override {
    throw std::runtime_error("the disk is on fire");
  }
  std::string fingerprint() const override { return ""; }
  absl::StatusOr<DataIdentity> Identity(bool) const override { return DataIdentity(); }

 private:
  const std::string path_ = "throwing";
};

TEST(TrainerTest, AnExceptionOnALoaderThreadIsAnError) {
  ThrowingSource source;
  SamplerOptions sampling;
  sampling.sources = {{"throwing", 8, 1, 0, 2}};
  auto sampler = BalancedSampler::Create(sampling);
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  LoaderOptions options;
  options.sources = {{"throwing", nullptr, &source, false, "stage[0].source[0]", nullptr, {}}};
  options.end_step = 1;
  BatchLoader loader(options, *std::move(sampler));
  EXPECT_THAT(loader.Next().status().message(), HasSubstr("on fire"));
}

TEST(TrainerTest, AMediaFileIsReadForItsKeyOnceInARun) {
  PipelineOptions opened;
  opened.model = World() + "/base/model";
  opened.templates = {World() + "/tasks.textproto"};
  opened.runtime.threads = 1;
  auto pipeline = Pipeline::Create(opened);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  const Task* task = (*pipeline)->task("caption").value();
  auto source = OpenTaskSource(*task, World() + "/caption.jsonl", {}, 0);
  ASSERT_TRUE(source.ok()) << source.status();
  SamplerOptions sampling;
  sampling.sources = {{"caption", kImages, 1, 0, 6}};
  MediaKeys keys;
  LoaderOptions options;
  options.model = &(*pipeline)->model();
  options.sources = {{"caption", task, source->get(), false, "stage[0].source[0]", nullptr, {}}};
  options.frozen = {{"image", nullptr}};
  options.variants = 1;
  options.keys = &keys;
  options.end_step = 2 * kImages / 6;
  std::map<std::string, int> seen;
  BatchLoader loader(options, *BalancedSampler::Create(sampling));
  for (int64_t step = 0; step < options.end_step; ++step) {
    auto batch = loader.Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    for (const PendingFeatures& pending : batch->pending) ++seen[pending.key];
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kImages));
  EXPECT_EQ(keys.hashed(), kImages) << "two epochs";
}

}  // namespace

}  // namespace unival::trainer_tests
