// Tests without a model: plans, the evaluation of a front, its files.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>

#include <cmath>

#include "absl/types/optional.h"
#include "sdk/base/test_files.h"
#include "tasks/metrics/metrics.h"
#include "training/merging/greedy_soup.h"
#include "training/merging/merge_front.h"
#include "training/merging/merge_plan.h"
#include "training/merging/running_statistics.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

MergeFront Front(const std::vector<FrontPoint>& points) {
  MergeFront front;
  front.tasks = {{"caption", "c.jsonl", "cider", 0, {}}, {"vqa", "v.jsonl", "accuracy", 0, {}}};
  front.points = points;
  return front;
}

TEST(MergeFront, TakesTheLargestMeanThatMeetsTheFloorsAndMarksTheParetoSet) {
  MergeFront front =
      Front({{0, {0.1, 0.9}}, {0.5, {0.6, 0.8}}, {0.75, {0.5, 0.7}}, {1, {0.9, 0.2}}});
  JudgeFront({}, &front);
  EXPECT_EQ(front.chosen, absl::optional<size_t>(1));
  EXPECT_TRUE(front.points[0].is_pareto);
  EXPECT_FALSE(front.points[2].is_pareto);  // lambda 0.5 is better in both
  JudgeFront({{"vqa", 0.85}}, &front);
  EXPECT_EQ(front.chosen, absl::optional<size_t>(0));
  EXPECT_FALSE(front.points[1].meets_floors);
  JudgeFront({{"vqa", 0.95}}, &front);
  EXPECT_FALSE(front.chosen.has_value());
}

TEST(MergeFront, TakesTheLeastOfAMetricOfWhichLessIsBetter) {
  MergeFront front =
      Front({{0, {0.9, 0.9}}, {0.5, {0.2, 0.8}}, {0.75, {0.3, 0.8}}, {1, {0.1, 0.2}}});
  front.tasks[0].metric = "wer";
  front.tasks[0].scores = TaskScores(BuiltinMetrics());
  JudgeFront({}, &front);
  EXPECT_EQ(front.chosen, absl::optional<size_t>(1));
  EXPECT_TRUE(front.points[0].is_pareto);
  EXPECT_FALSE(
      front.points[2].is_pareto);  // lambda 0.5 has fewer errors, and as many right answers
  EXPECT_TRUE(front.points[3].is_pareto);
  JudgeFront({{"caption", 0.15}}, &front);  // at most so many errors
  EXPECT_EQ(front.chosen, absl::optional<size_t>(3));
  EXPECT_FALSE(front.points[1].meets_floors);
  JudgeFront({{"caption", 0.05}}, &front);
  EXPECT_FALSE(front.chosen.has_value());
  EXPECT_THAT(FrontSvg(front), HasSubstr("caption wer (less is better)"));
}

TEST(MergeFront, AValueThatIsNoNumberIsNeverTaken) {
  MergeFront front = Front({{0, {std::nan(""), 1}}, {0.5, {0.2, 0.2}}, {1, {0.1, std::nan("")}}});
  JudgeFront({{"caption", 0}}, &front);
  EXPECT_EQ(front.chosen, absl::optional<size_t>(1));
}

TEST(MergeFront, OfEqualPointsTheOneNearestTheMiddleIsTaken) {
  MergeFront front = Front({{0, {1, 1}}, {0.5, {1, 1}}, {1, {1, 1}}});
  JudgeFront({}, &front);
  EXPECT_EQ(front.chosen, absl::optional<size_t>(1));
}

TEST(MergeFront, WritesATableAndACurveForEachTask) {
  MergeFront front = Front({{0, {0.25, 1}}, {1, {0.5, 0.75}}});
  JudgeFront({}, &front);
  EXPECT_EQ(FrontCsv(front),
            "lambda,caption cider,vqa accuracy,pareto,meets_floors,chosen\n"
            "0,0.25,1,1,1,1\n1,0.5,0.75,1,1,0\n");
  const std::string svg = FrontSvg(front);
  EXPECT_THAT(svg, HasSubstr("<svg xmlns"));
  EXPECT_THAT(svg, HasSubstr("caption cider"));
  EXPECT_THAT(svg, HasSubstr("vqa accuracy"));
}

TEST(MergePlan, PathsAreRelativeToThePlanAndItsData) {
  const std::string folder = NewFolder();
  WriteText(
      folder + "/plans/soup.textproto",
      "name: \"soup\" method: \"greedy_soup\" model { path: \"../a\" } model { path: \"../b\" }"
      "measure { task: \"vqa\" path: \"vqa.jsonl\" metric: \"accuracy\" limit: 3 }");
  const LoadedMergePlan plan = LoadMergePlan(folder + "/plans/soup.textproto", "data").value();
  EXPECT_THAT(plan.merge.models, ElementsAre(folder + "/a", folder + "/b"));
  EXPECT_EQ(plan.merge.method, kGreedySoup);
  EXPECT_EQ(plan.merge.plan, "soup");
  EXPECT_TRUE(plan.merge.weights.empty());
  ASSERT_TRUE(plan.measure.has_value());
  EXPECT_EQ(plan.measure->data, "data/vqa.jsonl");
  EXPECT_EQ(plan.measure->limit, 3);
}

TEST(MergePlan, SaysWeightsPartsAndEverythingElse) {
  const std::string file =
      WriteText(NewFolder() + "/m.textproto",
                "model { path: \"a\" weight: 0.75 } model { path: \"b\" } method: \"ties\" base: "
                "\"c\" lambda: 0.5 "
                "part { pattern: \"connection:depth\" lambda: 0.25 } density: 0.1 seed: 7 "
                "statistics: \"first\" counters: \"first\"");
  const MergeOptions merge = LoadMergePlan(file, "").value().merge;
  EXPECT_THAT(merge.weights, ElementsAre(0.75, 1));
  EXPECT_EQ(merge.method, "ties");
  EXPECT_EQ(merge.lambda, absl::optional<double>(0.5));
  ASSERT_EQ(merge.parts.size(), 1u);
  EXPECT_TRUE(merge.parts[0].matches("connection.depth.weight"));
  EXPECT_FALSE(merge.parts[0].matches("connection.image.weight"));
  EXPECT_EQ(merge.density, 0.1);
  EXPECT_EQ(merge.seed, 7u);
  EXPECT_EQ(merge.statistics, "first");
}

TEST(MergePlan, NamesFileAndFieldOfAMistake) {
  const std::string folder = NewFolder();
  const auto message = [&](const std::string& text) {
    const std::string file = WriteText(folder + "/m.textproto", text);
    return std::string(LoadMergePlan(file, "").status().message());
  };
  EXPECT_THAT(message("part { pattern: \"nose\" lambda: 1 }"),
              HasSubstr("m.textproto: part[0].pattern"));
  EXPECT_THAT(message("method: \"greedy_soup\""),
              HasSubstr("m.textproto: measure: expected a task"));
  EXPECT_THAT(message("measure { task: \"vqa\" path: \"x\" }"), HasSubstr("greedy_soup"));
  EXPECT_THAT(message("modle { }"), HasSubstr("modle"));
}

TEST(PartLambda, IsReadFromTheCommandLine) {
  const PartLambda part = ParsePartLambda("name:backbone\\.a=b=0.5").value();
  EXPECT_EQ(part.pattern, "name:backbone\\.a=b");
  EXPECT_EQ(part.lambda, 0.5);
  EXPECT_THAT(std::string(ParsePartLambda("backbone").status().message()),
              HasSubstr("PATTERN=LAMBDA"));
}

TEST(MergePlan, SaysOnWhichRecordsStatisticsAreMeasured) {
  const std::string file =
      WriteText(NewFolder() + "/m.textproto",
                "model { path: \"a\" } model { path: \"b\" } reestimate { task: \"caption\" path: "
                "\"c.jsonl\" limit: 5 columns { key: \"image\" value: \"file\" } } reestimate { "
                "task: \"speech\" path: \"s.tar\" }");
  const auto plan = LoadMergePlan(file, "data");
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->reestimate.size(), 2u);
  EXPECT_EQ(plan->reestimate[0].task, "caption");
  EXPECT_EQ(plan->reestimate[0].data, "data/c.jsonl");
  EXPECT_EQ(plan->reestimate[0].limit, 5);
  EXPECT_EQ(plan->reestimate[0].columns.at("image"), "file");
  EXPECT_EQ(plan->reestimate[1].data, "data/s.tar");
  WriteText(file, "reestimate { task: \"caption\" }");
  EXPECT_THAT(std::string(LoadMergePlan(file, "").status().message()),
              HasSubstr("m.textproto: reestimate[0]: path"));
  WriteText(file, "reestimate { path: \"c.jsonl\" }");
  EXPECT_THAT(std::string(LoadMergePlan(file, "").status().message()),
              HasSubstr("m.textproto: reestimate[0]: task"));
}

TEST(ReestimationData, IsReadFromTheCommandLine) {
  const ReestimationData data = ParseReestimationData("caption=a=b.jsonl").value();
  EXPECT_EQ(data.task, "caption");
  EXPECT_EQ(data.data, "a=b.jsonl");
  for (const char* wrong : {"caption", "caption=", "=a.jsonl", ""}) {
    EXPECT_THAT(std::string(ParseReestimationData(wrong).status().message()),
                HasSubstr("TASK=FILE"))
        << wrong;
  }
}

// An encoder with layers whose statistics move otherwise: by 0.3 a pass, as the mean of all passes,
// by 0.5 and twice in a pass, and one that is never reached.
struct Layers : torch::nn::Module {
  using Norm = torch::nn::BatchNorm1d;
  explicit Layers(int64_t width)
      : slow(register_module("slow", Norm(torch::nn::BatchNormOptions(width).momentum(0.3)))),
        mean(register_module("mean", Norm(torch::nn::BatchNormOptions(width).momentum({})))),
        twice(register_module("twice", Norm(torch::nn::BatchNormOptions(width).momentum(0.5)))),
        unused(register_module("unused", Norm(torch::nn::BatchNormOptions(width)))) {
    eval();
  }
  void Pass(const at::Tensor& x) {
    slow->forward(x), mean->forward(x);
    twice->forward(x), twice->forward(x);
  }
  Norm slow, mean, twice, unused;
};

TEST(RunningStatistics, AreTheMeanOverBatchesHoweverFastALayerMoves) {
  torch::manual_seed(3);
  Layers layers(5);
  RunningStatistics statistics(layers, "modality.image.");
  const at::Tensor a = at::randn({16, 5}) * 3 + 100, b = at::randn({16, 5}) - 2;
  for (const at::Tensor& batch : {a, b}) {
    ASSERT_TRUE(statistics
                    .AddBatch([&] {
                      layers.Pass(batch);
                      return absl::OkStatus();
                    })
                    .ok());
  }
  EXPECT_FALSE(layers.slow->is_training());
  std::map<std::string, at::Tensor> means;
  ASSERT_TRUE(statistics.AddTo(&means).ok());
  EXPECT_EQ(means.size(), 6u) << "a layer that is never reached has none";
  for (const char* name : {"slow", "mean", "twice"}) {
    const std::string layer = std::string("modality.image.") + name;
    EXPECT_TRUE(at::allclose(means.at(layer + ".running_mean"), (a.mean(0) + b.mean(0)) / 2, 1e-5))
        << name;
    EXPECT_TRUE(at::allclose(means.at(layer + ".running_var"), (a.var(0) + b.var(0)) / 2, 1e-5))
        << name;
  }
}

TEST(RunningStatistics, OfALayerThatALaterBatchReachesFirstCountFromThere) {
  torch::manual_seed(4);
  Layers layers(5);
  RunningStatistics statistics(layers, "");
  const at::Tensor a = at::randn({16, 5}), b = at::randn({16, 5}) + 3;
  const auto pass = [&](const at::Tensor& batch, bool with_last) {
    return statistics.AddBatch([&] {
      layers.slow->forward(batch);
      if (with_last) layers.unused->forward(batch);
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(pass(a, false).ok());
  ASSERT_TRUE(pass(b, true).ok());
  ASSERT_TRUE(pass(a, false).ok());
  std::map<std::string, at::Tensor> means;
  ASSERT_TRUE(statistics.AddTo(&means).ok());
  EXPECT_EQ(means.size(), 4u);
  EXPECT_TRUE(at::allclose(means.at("unused.running_mean"), b.mean(0), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(means.at("unused.running_var"), b.var(0), 1e-5, 1e-5));
  EXPECT_TRUE(
      at::allclose(means.at("slow.running_mean"), (a.mean(0) * 2 + b.mean(0)) / 3, 1e-5, 1e-5));
}

TEST(RunningStatistics, ALayerThatIsReachedAndDoesNotMoveIsNamed) {
  Layers layers(5);
  layers.slow->options.momentum(0.0);
  RunningStatistics statistics(layers, "modality.image.");
  const absl::Status status = statistics.AddBatch([&] {
    layers.Pass(at::randn({16, 5}));
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("modality.image.slow.running_mean"));
}

TEST(GreedySoup, IsTheUniformAverageOfItsIngredients) {
  MergeOptions merge;
  merge.models = {"a", "b", "c"};
  const MergeOptions soup = SoupMerge(merge, {2, 0});
  EXPECT_EQ(soup.method, "average");
  EXPECT_THAT(soup.weights, ElementsAre(1, 0, 1));
}

}  // namespace
}  // namespace unival
