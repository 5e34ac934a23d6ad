// The dropout rates of a plan, applied to a loaded model in training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/model/backbone.h"
#include "sdk/base/test_files.h"
#include "training/evaluation/evaluate.h"
#include "training/run/plan_preview.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A model without dropout of its own.
const std::string& Still() {
  static const std::string* const kOutput = [] {
    TrainingPlan plan = Parse(kFreshPlan);
    plan.mutable_fresh_model()->mutable_backbone()->clear_dropout();
    plan.clear_evaluation();
    TrainOk(Options(World(), plan, FreshOutput("still")));
    return new std::string("still");
  }();
  return *kOutput;
}

// Trains the backbone of the model in `base`; `rates` are fields of the stage.
TrainingPlan DroppingPlan(const std::string& base, const std::string& rates) {
  return Parse(absl::StrCat(R"(
    name: "dropping" seed: 5 model: ")",
                            base, R"(/model" templates: "tasks.textproto"
    stage {
      name: "all" trainable: "all" steps: 6 batch: 6 micro_batches: 2 log_every: 1
      optimizer { learning_rate: 1e-2 } checkpoint_every: 2
      source { name: "caption" task: "caption" path: "caption.jsonl" }
      )",
                            rates, R"(
    })")
                   .c_str());
}

std::map<std::string, std::string> Trained(const std::string& output, const TrainingPlan& plan) {
  TrainOk(Options(World(), plan, FreshOutput(output)));
  return After(output);
}

TEST(Dropout, OfZeroIsThatOfNoSettingToTheBit) {
  const auto without = Trained("none", DroppingPlan(Still(), ""));
  EXPECT_EQ(Trained("zero", DroppingPlan(Still(), "dropout: 0 attention_dropout: 0 drop_path: 0")),
            without);
  EXPECT_EQ(Losses("zero"), Losses("none"));
}

TEST(Dropout, OfEachKindChangesWhatIsLearnedAndHoldsTheReceipt) {
  const auto without = Trained("none", DroppingPlan(Still(), ""));
  std::set<std::map<std::string, std::string>> all = {without};
  for (const char* rates : {"dropout: 0.1", "attention_dropout: 0.1", "dropout: 0.1 seed"}) {
    const bool other_seed = absl::StrContains(rates, "seed");
    TrainingPlan plan = DroppingPlan(Still(), other_seed ? "dropout: 0.1" : rates);
    if (other_seed) plan.set_seed(6);
    EXPECT_TRUE(all.insert(Trained("dropped", plan)).second) << rates;
    EXPECT_NE(Losses("dropped"), Losses("none")) << rates;
    const auto check = VerifyReceipt(World() + "/dropped/receipt.json", World() + "/dropped/model",
                                     World() + "/" + Still() + "/model", TheRuntime());
    ASSERT_TRUE(check.ok()) << check.status();
    EXPECT_TRUE(check->ok()) << rates;
  }
}

// The number of layers decides where it drops: of one layer the first, which never does.
TEST(Dropout, OfPathsNeedsASecondLayer) {
  const auto without = Trained("none", DroppingPlan(Still(), ""));
  EXPECT_EQ(Trained("path", DroppingPlan(Still(), "drop_path: 0.5")), without);
}

TEST(Dropout, ARunThatWasStoppedGoesOnToTheSameBits) {
  const TrainingPlan plan = DroppingPlan(Still(), "dropout: 0.1 attention_dropout: 0.2");
  const auto whole = Trained("drop_whole", plan);
  TrainOptions options = Options(World(), plan, FreshOutput("drop_stopped"));
  for (const int64_t stop : {1, 3, 0}) {
    options.stop_after_step = stop;
    TrainOk(options);
    options.resume = true;
  }
  EXPECT_EQ(After("drop_stopped"), whole);
  EXPECT_EQ(Losses("drop_stopped"), Losses("drop_whole"));
  TrainingPlan other = plan;
  other.mutable_stage(0)->set_dropout(0.3);
  options.plan = &other;
  EXPECT_THAT(std::string(Train(options, TheRuntime()).status().message()), HasSubstr("dropout"))
      << "another rate is another run";
}

TEST(Dropout, OfAPlanIsThatOfAModelWithTheSameRates) {
  // "base" has dropout: 0.1 in its configuration.
  const auto own = Trained("own_rate", DroppingPlan("base", ""));
  EXPECT_EQ(Trained("same_rate", DroppingPlan("base", "dropout: 0.1")), own);
  EXPECT_NE(Trained("no_rate", DroppingPlan("base", "dropout: 0")), own);
}

TEST(Dropout, IsOfTheRunAndNotOfTheModelThatItMakes) {
  Trained("dropped", DroppingPlan(Still(), "dropout: 0.5 attention_dropout: 0.5"));
  const auto model = Model::Load(World() + "/dropped/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->manifest().backbone().dropout(), 0);
  EXPECT_EQ((*model)->backbone().config().attention_dropout(), 0);
  // Its answers are those of the run's own evaluation, which has the module with the rates.
  TrainingPlan plan = DroppingPlan(Still(), "dropout: 0.5 attention_dropout: 0.5");
  *plan.add_evaluation() = Parse(kFreshPlan).evaluation(0);
  plan.mutable_stage(0)->mutable_validation()->set_every(3);
  Trained("measured_dropping", plan);
  EXPECT_EQ(After("measured_dropping"), After("dropped")) << "a validation draws nothing";
  PipelineOptions options;
  options.model = World() + "/dropped/model";
  options.runtime.threads = 1;
  auto pipeline = Pipeline::Create(options);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  auto source = OpenTaskSource(**(*pipeline)->task("caption"), World() + "/caption.jsonl", {}, 4);
  ASSERT_TRUE(source.ok()) << source.status();
  EvaluationOptions evaluation;
  evaluation.results_file = World() + "/dropped_later.jsonl";
  ASSERT_TRUE(Evaluate(**pipeline, "caption", **source, evaluation).ok());
  EXPECT_EQ(ReadText(evaluation.results_file),
            ReadText(World() + "/measured_dropping/validation/caption/000000006.jsonl"));
}

// Trains one linear map of a model that has dropout: 0.1 in its configuration.
TrainingPlan FrozenPlan(const std::string& rates) {
  TrainingPlan plan = DroppingPlan("base", rates);
  plan.mutable_stage(0)->set_trainable(0, "connections");
  return plan;
}

TEST(Dropout, OfAFrozenBackboneIsWhatTheStageSetsAndMovesNothingElse) {
  const auto without = Trained("frozen", FrozenPlan(""));
  EXPECT_EQ(Trained("frozen_zero", FrozenPlan("dropout: 0")), without)
      << "the model's own rate is for a backbone that trains";
  for (const char* rates : {"dropout: 0.3", "attention_dropout: 0.3"}) {
    const auto dropped = Trained("frozen_dropped", FrozenPlan(rates));
    EXPECT_NE(dropped, without) << rates;
    for (const auto& [name, hash] : dropped) {
      if (absl::StartsWith(name, "connection.")) continue;
      EXPECT_EQ(hash, without.at(name)) << name;
    }
    EXPECT_EQ(Trained("frozen_again", FrozenPlan(rates)), dropped) << rates;
  }
}

TEST(Dropout, OfAFrozenBackboneGivesRDropTwoPassesThatDiffer) {
  Trained("frozen_rdrop", FrozenPlan("dropout: 0.2 loss { rdrop_alpha: 1 }"));
  const TrainingPlan alike = FrozenPlan("loss { rdrop_alpha: 1 }");
  EXPECT_THAT(
      std::string(
          Train(Options(World(), alike, FreshOutput("alike")), TheRuntime()).status().message()),
      AllOf(HasSubstr("rdrop_alpha"), HasSubstr("would be alike")));
}

TEST(Dropout, IsSaidBeforeAStepIsTaken) {
  TrainOptions options;
  const TrainingPlan plan = DroppingPlan("base", "attention_dropout: 0.25 drop_path: 0.5");
  options.plan = &plan;
  options.plan_file = World() + "/plan.textproto";
  const auto preview = PreviewPlan(options, TheRuntime(), "");
  ASSERT_TRUE(preview.ok()) << preview.status();
  const DropoutRates& rates = preview->stages[0].dropout;
  EXPECT_FLOAT_EQ(static_cast<float>(rates.values), 0.1F) << "the model's own";
  EXPECT_EQ(rates.attention, 0.25);
  EXPECT_EQ(rates.encoder_path, 0.5);
  EXPECT_EQ(rates.decoder_path, 0.5);
}

// R-Drop (Liang et al., 2021): two passes of a batch, and the divergence between them.
TEST(RDrop, LearnsFromTwoPassesAndGoesOnToTheSameBits) {
  const std::string drops = "dropout: 0.2 ";
  const auto once = Trained("once", DroppingPlan(Still(), drops));
  const TrainingPlan plan = DroppingPlan(Still(), drops + "loss { rdrop_alpha: 2 }");
  const auto twice = Trained("twice", plan);
  EXPECT_NE(twice, once);
  EXPECT_NE(Losses("twice"), Losses("once"));
  TrainOptions options = Options(World(), plan, FreshOutput("twice_stopped"));
  for (const int64_t stop : {3, 0}) {
    options.stop_after_step = stop;
    TrainOk(options);
    options.resume = true;
  }
  EXPECT_EQ(After("twice_stopped"), twice);
}

TEST(RDrop, OfPassesThatAreAlikeIsRefused) {
  const TrainingPlan plan = DroppingPlan(Still(), "loss { rdrop_alpha: 2 }");
  EXPECT_THAT(
      std::string(
          Train(Options(World(), plan, FreshOutput("alike")), TheRuntime()).status().message()),
      AllOf(HasSubstr("stage[0].loss.rdrop_alpha: expected"), HasSubstr("set dropout")));
  const TrainingPlan adapter = Parse(R"(
    name: "adapter" seed: 5 model: "base/model" templates: "tasks.textproto"
    adapter { kind: "lora" dropout: 0.2 }
    stage {
      name: "lora" trainable: "adapter:lora" steps: 2 batch: 6 loss { rdrop_alpha: 2 }
      optimizer { learning_rate: 1e-2 }
      source { name: "caption" task: "caption" path: "caption.jsonl" }
    })");
  TrainOk(Options(World(), adapter, FreshOutput("lora_twice")));
}

}  // namespace
}  // namespace unival::trainer_tests
