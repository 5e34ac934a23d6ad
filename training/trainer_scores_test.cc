// Runs and merges that are judged by a score for which less is better: a built-in score, and a
// score of a plugin (tests/plug_points/extras_plugin.cc).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/test_files.h"
#include "training/merging/greedy_soup.h"
#include "training/merging/merge_front.h"
#include "training/report/run_history.h"
#include "training/report/run_report.h"
#include "training/run/checkpoint.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kTemplates[] = R"(
  name: "errors" task {
    name: "colour" input { name: "image" modality: "image" }
    prompt: " what does the image describe?" target: " {caption:text}"
    generation { beam: 1 max_tokens: 6 } metric: "wer" metric: "excess"
  })";

// Goes on from the base model for so many steps, with a validation after each.
TrainingPlan ErrorsPlan(const std::string& metric, int64_t steps, uint64_t seed = 5) {
  WriteText(World() + "/errors.textproto", kTemplates);
  TrainingPlan plan = Parse(R"(
    name: "errors" model: "base/model" templates: "errors.textproto"
    stage {
      name: "all" trainable: "all" batch: 6 optimizer { learning_rate: 5e-3 }
      source { name: "colour" task: "colour" path: "caption.jsonl" }
      validation { every: 1 keep_best: true }
    }
    evaluation { name: "colour" task: "colour" path: "caption.jsonl" limit: 6 })");
  plan.set_seed(seed);
  plan.mutable_stage(0)->set_steps(steps);
  plan.mutable_stage(0)->mutable_validation()->set_metric(metric);
  return plan;
}

class Errors : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Metrics, Errors, ::testing::Values("wer", "excess"));

TEST_P(Errors, TheBestCheckpointHasTheFewest) {
  const std::string metric = GetParam(), output = absl::StrCat("fewest_", metric);
  TrainOk(Options(World(), ErrorsPlan(metric, 12), FreshOutput(output)));
  std::vector<double> values;
  double best = 0;
  int64_t best_step = 0;
  for (const Json& line : Log(output)) {
    if (!line.contains("validation")) continue;
    EXPECT_EQ(line.at("judged_by"), metric);
    const double value = line.at("metrics").at(metric);
    const bool is_best = values.empty() || value < best;
    EXPECT_EQ(line.at("is_best"), is_best) << line;
    if (is_best) best = value, best_step = line.at("step");
    values.push_back(value);
  }
  ASSERT_LT(best, *std::max_element(values.begin(), values.end())) << "errors that never change";
  EXPECT_EQ(CheckpointSteps(World() + "/" + output + "/best"), std::vector<int64_t>{best_step});
  const auto history = ReadRunHistory(World() + "/" + output);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_THAT(RunText(*history), HasSubstr(absl::StrFormat("colour %s (less is better) %.4f at "
                                                           "step %d",
                                                           metric, best, best_step)));
}

TEST_P(Errors, ATargetIsReachedFromAbove) {
  const std::string metric = GetParam();
  TrainingPlan plan = ErrorsPlan(metric, 3);
  plan.mutable_stage(0)->mutable_validation()->set_target(1000);
  EXPECT_EQ(TrainOk(Options(World(), plan, FreshOutput("target_met"))).steps, 1);
  plan.mutable_stage(0)->mutable_validation()->set_target(-1);
  EXPECT_EQ(TrainOk(Options(World(), plan, FreshOutput("target_missed"))).steps, 3);
}

// Two models that go on from the base one: for one step, and for many.
std::vector<std::string> TwoModels() {
  static const std::vector<std::string>* const kModels = [] {
    auto* models = new std::vector<std::string>();
    for (const int64_t steps : {1, 24}) {
      const std::string output = FreshOutput(absl::StrCat("expert_", steps));
      TrainingPlan plan = ErrorsPlan("wer", steps);
      plan.mutable_stage(0)->clear_validation();
      TrainOk(Options(World(), plan, output));
      models->push_back(World() + "/" + output + "/model");
    }
    return models;
  }();
  return *kModels;
}

std::unique_ptr<Measurer> MeasurerOf(const std::string& metric) {
  MeasureOptions options;
  options.pipeline.runtime.threads = 1;
  options.pipeline.runtime.plugins = {"tests/plug_points/libextras.so"};
  options.scratch = World() + "/scratch";
  options.tasks = {{"colour", World() + "/caption.jsonl", metric, 6, {}}};
  auto measurer = Measurer::Create(options);
  EXPECT_TRUE(measurer.ok()) << measurer.status();
  return *std::move(measurer);
}

TEST_P(Errors, AGreedySoupBeginsWithTheModelOfTheFewest) {
  const auto measurer = MeasurerOf(GetParam());
  MergeOptions merge;
  merge.models = TwoModels();
  const auto soup = FindGreedySoup(merge, *measurer);
  ASSERT_TRUE(soup.ok()) << soup.status();
  EXPECT_TRUE(measurer->tasks()[0].less_is_better());
  ASSERT_LT(soup->steps[0].alone, soup->steps[1].alone) << "the one of more errors came first";
  EXPECT_EQ(soup->steps[1].taken, soup->steps[1].together <= soup->steps[0].alone);
  EXPECT_LE(soup->value, soup->steps[0].alone);
}

TEST_P(Errors, AFrontTakesTheLambdaOfTheFewestAndAFloorIsACeiling) {
  const auto measurer = MeasurerOf(GetParam());
  MergeOptions merge;
  merge.models = TwoModels();
  merge.method = "interpolate";
  const auto measured = MeasureFront(merge, 3, {}, *measurer);
  ASSERT_TRUE(measured.ok()) << measured.status();
  MergeFront front = *measured;
  std::vector<double> errors;
  for (const FrontPoint& point : front.points) errors.push_back(point.values[0]);
  const double fewest = *std::min_element(errors.begin(), errors.end());
  ASSERT_LT(fewest, *std::max_element(errors.begin(), errors.end()));
  ASSERT_TRUE(front.chosen.has_value());
  EXPECT_EQ(errors[*front.chosen], fewest);
  JudgeFront({{"colour", fewest}}, &front);
  for (size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(front.points[i].meets_floors, errors[i] <= fewest) << i;
    EXPECT_EQ(front.points[i].is_pareto, errors[i] == fewest) << i;
  }
  JudgeFront({{"colour", fewest - 0.001}}, &front);
  EXPECT_FALSE(front.chosen.has_value());
}

}  // namespace
}  // namespace unival::trainer_tests
