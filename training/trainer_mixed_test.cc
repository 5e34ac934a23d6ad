// Micro-batches with rows of several sources.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "training/run/mixed_loss.h"
#include "training/run/plan_preview.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::HasSubstr;

// Captions and copies in batches of five rows, twice as many captions.
TrainingPlan Mixed(const std::string& mean) {
  TrainingPlan plan = Parse(kFreshPlan);
  Stage& stage = *plan.mutable_stage(0);
  stage.set_batch(5);
  stage.set_steps(8);
  stage.set_checkpoint_every(1);
  stage.mutable_source(0)->set_weight(2);
  stage.mutable_source(1)->set_unlock_step(2);
  stage.mutable_mixed_batches()->set_loss_mean(mean);
  return plan;
}

std::map<std::string, std::string> Trained(const std::string& output, const TrainingPlan& plan,
                                           int loader_threads = 1) {
  TrainOptions options = Options(World(), plan, FreshOutput(output));
  options.loader_threads = loader_threads;
  TrainOk(options);
  return After(output);
}

TEST(MixedBatches, HaveTheRowsThatThePreviewCountsAndLists) {
  const TrainingPlan plan = Mixed("");
  const std::string order = World() + "/mixed_order.jsonl";
  const TrainOptions options = Options(World(), plan, FreshOutput("mixed"));
  const auto preview = PreviewPlan(options, TheRuntime(), order);
  ASSERT_TRUE(preview.ok()) << preview.status();
  const StagePreview& stage = preview->stages.at(0);
  EXPECT_EQ(stage.mixed_loss_mean, "token");
  EXPECT_EQ(stage.rows(), 8 * 2 * 5);
  // Twenty rows of captions alone, then sixty in which two of three are captions.
  EXPECT_EQ(stage.sources[0].rows, 20 + 40);
  EXPECT_EQ(stage.sources[1].rows, 20);
  EXPECT_EQ(stage.sources[1].micro_batches, 12);
  TrainOk(options);
  const Json last = Log("mixed").back();
  EXPECT_EQ(last.at("rows"), stage.rows());
  std::map<std::string, int64_t> listed;
  std::set<std::string> sources_of_one;
  std::stringstream lines(ReadText(order));
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    ++listed[row.at("source")];
    if (row.at("step") == 3 && row.at("micro_batch") == 0) sources_of_one.insert(row.at("source"));
  }
  for (const SourcePreview& source : stage.sources) {
    EXPECT_EQ(last.at("source_rows").at(source.name), source.rows) << source.name;
    EXPECT_EQ(listed[source.name], source.rows) << source.name;
    EXPECT_EQ(last.at("source_loss").count(source.name), 1u) << source.name;
  }
  EXPECT_EQ(sources_of_one.size(), 2u) << "both in one micro-batch";
}

TEST(MixedBatches, OfARunThatWasStoppedGoOnToTheSameBitsWhateverLoadsThem) {
  std::set<std::map<std::string, std::string>> all;
  for (const char* mean : {"token", "row", "source"}) {
    SCOPED_TRACE(mean);
    const TrainingPlan plan = Mixed(mean);
    const auto whole = Trained("mixed_whole", plan);
    EXPECT_TRUE(all.insert(whole).second) << "another mean is another loss";
    EXPECT_EQ(Trained("mixed_loaders", plan, 3), whole);
    TrainOptions options = Options(World(), plan, FreshOutput("mixed_stopped"));
    for (const int64_t stop : {1, 5, 0}) {
      options.stop_after_step = stop;
      TrainOk(options);
      options.resume = true;
    }
    EXPECT_EQ(After("mixed_stopped"), whole);
    EXPECT_EQ(Losses("mixed_stopped"), Losses("mixed_whole"));
    const TrainingPlan other = Mixed(std::string(mean) == "row" ? "token" : "row");
    options.plan = &other;
    EXPECT_THAT(std::string(Train(options, TheRuntime()).status().message()),
                HasSubstr("mixed_batches"));
  }
}

// Of one source whose rows have equally many tokens, all means are that of its tokens.
TEST(MixedBatches, OfOneSourceHaveTheLossOfBatchesThatAreNotMixed) {
  TrainingPlan plan = Mixed("");
  plan.mutable_fresh_model()->mutable_backbone()->set_dropout(0);
  plan.mutable_stage(0)->mutable_source()->DeleteSubrange(1, 1);
  plan.mutable_stage(0)->mutable_source(0)->mutable_keep()->insert({"caption", "red"});
  plan.mutable_stage(0)->clear_mixed_batches();
  Trained("of_one", plan);
  const std::vector<double> expected = Losses("of_one");
  for (const char* mean : {"token", "row", "source"}) {
    plan.mutable_stage(0)->mutable_mixed_batches()->set_loss_mean(mean);
    Trained("mixed_of_one", plan);
    const std::vector<double> losses = Losses("mixed_of_one");
    ASSERT_EQ(losses.size(), expected.size());
    for (size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 1e-3) << mean;
  }
}

TEST(MixedBatches, WeighTokensRowsOrSourcesAlike) {
  LossResult result;
  result.row_loss = at::tensor({6.0F, 2.0F, 9.0F, 5.0F});
  result.row_tokens = at::tensor({3.0F, 2.0F, 3.0F, 0.0F});
  const auto loss_of = [&](LossMean mean) {
    const MixedRows rows{mean, {0, 0, 2, 1}, 3};
    const StepSums sums = SumsOf(result, rows);
    const StepLoss step = MeanOf(sums);
    const at::Tensor weighted = result.row_loss * RowWeights(result.row_tokens, sums, rows);
    EXPECT_NEAR(weighted.sum().item<double>(), step.loss, 1e-6) << "backward starts from the loss";
    EXPECT_EQ(step.source_loss.size(), 2u) << "a row without tokens is no source";
    EXPECT_NEAR(step.source_loss.at(0), 8.0 / 5, 1e-6);
    return step.loss;
  };
  EXPECT_NEAR(loss_of(LossMean::kTokens), 17.0 / 8, 1e-6);
  EXPECT_NEAR(loss_of(LossMean::kRows), (2.0 + 1 + 3) / 3, 1e-6);
  EXPECT_NEAR(loss_of(LossMean::kSources), (8.0 / 5 + 9.0 / 3) / 2, 1e-6);
}

TEST(MixedBatches, LearnWithAllThatALossMayHave) {
  for (const char* loss : {"encouraging: true log_end: 0.75 label_smoothing: 0.1", "rdrop_alpha: 1",
                           "drop_worst_ratio: 0.2 drop_worst_after: 1"}) {
    SCOPED_TRACE(loss);
    TrainingPlan plan = Mixed("row");
    plan.mutable_stage(0)->mutable_loss()->CopyFrom(
        Parse(absl::StrCat("stage { loss { ", loss, " } }").c_str()).stage(0).loss());
    Trained("mixed_loss", plan);
  }
}

TEST(MixedBatches, ThatDoNotFitAreRefused) {
  const auto refused = [](const TrainingPlan& plan) {
    return std::string(
        Train(Options(World(), plan, FreshOutput("refused")), TheRuntime()).status().message());
  };
  EXPECT_THAT(refused(Mixed("rows")), HasSubstr("stage[0].mixed_batches.loss_mean: expected one of "
                                                "token, row, source"));
  TrainingPlan plan = Mixed("");
  plan.mutable_stage(0)->mutable_source(1)->set_batch(3);
  EXPECT_THAT(refused(plan), HasSubstr("stage[0].source[1].batch: expected nothing"));
  plan = Mixed("");
  plan.mutable_stage(0)->clear_batch();
  EXPECT_THAT(refused(plan), HasSubstr("stage[0]"));
}

}  // namespace
}  // namespace unival::trainer_tests
