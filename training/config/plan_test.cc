#include "training/config/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

namespace unival {
namespace {

using ::testing::HasSubstr;

// A plan that passes every check, in a folder that contains the files that it names.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    folder_ = std::string(::testing::TempDir()) + "/plan_test";
    std::filesystem::create_directories(folder_ + "/base");
    Write("data.jsonl", "{}\n");
    Write("tasks.textproto", "");
    plan_.file = "plan.textproto";
    plan_.directory = plan_.data_root = folder_;
    TrainingPlan& plan = plan_.proto;
    plan.set_model("base");
    plan.add_templates("tasks.textproto");
    Stage* stage = plan.add_stage();
    stage->set_steps(10);
    stage->set_batch(4);
    stage->add_trainable("all");
    stage->mutable_optimizer()->set_learning_rate(1e-3f);
    AddSource("first");
    EvaluationPlan* evaluation = plan.add_evaluation();
    evaluation->set_task("copy");
    evaluation->set_path("data.jsonl");
    ResolvePlan({}, &plan);
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }

  void AddSource(const std::string& name) {
    SourcePlan* source = plan_.proto.mutable_stage(0)->add_source();
    source->set_name(name);
    source->set_task("copy");
    source->set_path("data.jsonl");
  }

  Stage* stage() { return plan_.proto.mutable_stage(0); }
  SourcePlan* source() { return stage()->mutable_source(0); }

  std::string folder_;
  LoadedPlan plan_;
};

TEST_F(PlanTest, AcceptsACompletePlan) { EXPECT_EQ(CheckPlan(plan_), absl::OkStatus()); }

TEST_F(PlanTest, FillsInDefaults) {
  EXPECT_EQ(stage()->name(), "stage1");
  EXPECT_EQ(stage()->micro_batches(), 1);
  EXPECT_EQ(stage()->precision(), "float32");
  EXPECT_EQ(stage()->optimizer().schedule(), "constant");
  EXPECT_FLOAT_EQ(stage()->optimizer().beta1(), 0.9f);
  EXPECT_EQ(plan_.proto.evaluation(0).name(), "copy");
}

TEST_F(PlanTest, AnExplicitZeroIsNotTheDefault) {
  Write("zero.textproto", R"(
    stage {
      optimizer { beta1: 0 beta2: 0 epsilon: 0 }
      loss { log_end: 0 }
      log_every: 0
      source { task: "copy" weight: 0 }
    })");
  auto plan = LoadPlan(folder_ + "/zero.textproto");
  ASSERT_TRUE(plan.ok()) << plan.status();
  ResolvePlan({}, &plan->proto);
  const Stage& zero = plan->proto.stage(0);
  EXPECT_EQ(zero.optimizer().beta1(), 0);
  EXPECT_EQ(zero.optimizer().beta2(), 0);
  EXPECT_EQ(zero.optimizer().epsilon(), 0);
  EXPECT_EQ(zero.loss().log_end(), 0);
  EXPECT_EQ(zero.log_every(), 0);
  EXPECT_EQ(zero.source(0).weight(), 0);
}

TEST_F(PlanTest, ASeedOfZeroOverridesThePlans) {
  plan_.proto.set_seed(7);
  PlanOverrides overrides;
  overrides.seed = 0;
  ResolvePlan(overrides, &plan_.proto);
  EXPECT_EQ(plan_.proto.seed(), 0u);
}

TEST_F(PlanTest, APlanOfSourcesWithoutWeightIsRefused) {
  source()->set_weight(0);
  EXPECT_THAT(CheckPlan(plan_).message(), HasSubstr("stage[0].source:"));
  AddSource("second");
  ResolvePlan({}, &plan_.proto);
  EXPECT_EQ(CheckPlan(plan_), absl::OkStatus());
}

// The text of a resolved plan is hashed into receipts.
TEST_F(PlanTest, FieldsThatCameLaterAreNotFilledIn) {
  EXPECT_EQ(stage()->optimizer().type(), "");
  EXPECT_EQ(OptimizerNameOf(stage()->optimizer()), "adamw");
  EXPECT_FALSE(stage()->has_loss());
  EXPECT_EQ(LogEnd(stage()->loss()), 1);
}

TEST_F(PlanTest, AFieldThatSaysItsDefaultIsTheSameAsNone) {
  TrainingPlan recorded = plan_.proto;
  recorded.mutable_stage(0)->mutable_optimizer()->set_type("adamw");
  recorded.mutable_stage(0)->mutable_loss()->set_log_end(1);
  EXPECT_EQ(CheckSamePlan(recorded, plan_.proto), absl::OkStatus());
  recorded.mutable_stage(0)->mutable_optimizer()->set_beta1(0);
  EXPECT_FALSE(CheckSamePlan(recorded, plan_.proto).ok());
}

TEST_F(PlanTest, ScalesUnlockStepsWithTheNumberOfSteps) {
  AddSource("second");
  stage()->mutable_source(1)->set_unlock_step(5);
  PlanOverrides overrides;
  overrides.steps = 100;
  ResolvePlan(overrides, &plan_.proto);
  EXPECT_EQ(stage()->steps(), 100);
  EXPECT_EQ(stage()->source(1).unlock_step(), 50);
}

TEST_F(PlanTest, NamesFieldExpectedActualAndRemedyOfEveryMistake) {
  struct Case {
    const char* field;
    const char* also;
    std::function<void()> spoil;
  };
  const std::vector<Case> cases = {
      {"model:", "neither", [&] { plan_.proto.clear_model(); }},
      {"model:", "both", [&] { plan_.proto.mutable_fresh_model(); }},
      {"model:", "nowhere", [&] { plan_.proto.set_model("nowhere"); }},
      {"start_from:", "nothing beside model", [&] { plan_.proto.set_start_from("model"); }},
      {"templates[0]:", "none.textproto", [&] { plan_.proto.set_templates(0, "none.textproto"); }},
      {"stage:", "at least one stage", [&] { plan_.proto.clear_stage(); }},
      {"stage[0].steps:", "got 0", [&] { stage()->set_steps(0); }},
      {"stage[0].epochs:", "both", [&] { stage()->set_epochs(2); }},
      {"stage[0].epochs:", "got -1",
       [&] {
         stage()->clear_steps();
         stage()->set_epochs(-1);
       }},
      {"stage[0].epochs_of:", "\"none\"",
       [&] {
         stage()->clear_steps();
         stage()->set_epochs(1);
         stage()->set_epochs_of("none");
       }},
      {"stage[0].trainable:", "\"all\"", [&] { stage()->clear_trainable(); }},
      {"stage[0].precision:", "one of float32, bfloat16",
       [&] { stage()->set_precision("float16"); }},
      {"stage[0].optimizer.learning_rate:", "got 0",
       [&] { stage()->mutable_optimizer()->set_learning_rate(0); }},
      {"stage[0].optimizer.learning_rate:", "nan",
       [&] { stage()->mutable_optimizer()->set_learning_rate(std::nanf("")); }},
      {"stage[0].optimizer.beta2:", "got 1", [&] { stage()->mutable_optimizer()->set_beta2(1); }},
      {"stage[0].optimizer.schedule:",
       "one of constant, cosine, inverse_sqrt, linear, polynomial, got \"step\"",
       [&] { stage()->mutable_optimizer()->set_schedule("step"); }},
      {"stage[0].optimizer.type:", "one of adamw, got \"lion\"",
       [&] { stage()->mutable_optimizer()->set_type("lion"); }},
      {"stage[0].optimizer: option:", "\"momentum\"",
       [&] { (*stage()->mutable_optimizer()->mutable_option())["momentum"] = 1; }},
      {"stage[0].optimizer: schedule_option power:", "above 0",
       [&] {
         stage()->mutable_optimizer()->set_schedule("polynomial");
         (*stage()->mutable_optimizer()->mutable_schedule_option())["power"] = 0;
       }},
      {"stage[0].optimizer: schedule_option end_rate:", "0 to the peak",
       [&] {
         stage()->mutable_optimizer()->set_schedule("linear");
         (*stage()->mutable_optimizer()->mutable_schedule_option())["end_rate"] = 10;
       }},
      {"stage[0].optimizer: schedule_option:", "\"period\"",
       [&] { (*stage()->mutable_optimizer()->mutable_schedule_option())["period"] = 1; }},
      {"stage[0].optimizer: optimizer.epsilon:", "above 0, got 0",
       [&] { stage()->mutable_optimizer()->set_epsilon(0); }},
      {"stage[0].optimizer.warmup_steps:", "both",
       [&] {
         stage()->mutable_optimizer()->set_warmup_steps(2);
         stage()->mutable_optimizer()->set_warmup_ratio(0.5f);
       }},
      {"stage[0].optimizer: schedule inverse_sqrt:", "warmup_steps",
       [&] { stage()->mutable_optimizer()->set_schedule("inverse_sqrt"); }},
      {"stage[0].optimizer.decay_steps:", "got -1",
       [&] { stage()->mutable_optimizer()->set_decay_steps(-1); }},
      {"stage[0].optimizer.group[0].pattern:", "vectors",
       [&] { stage()->mutable_optimizer()->add_group(); }},
      {"stage[0].optimizer.group[0].weight_decay:", "got -1",
       [&] {
         stage()->mutable_optimizer()->add_group()->set_vectors(true);
         stage()->mutable_optimizer()->mutable_group(0)->set_weight_decay(-1);
       }},
      {"stage[0].validation.every:", "a number of steps",
       [&] { stage()->mutable_validation()->set_patience(2); }},
      {"stage[0].validation.evaluation[0]:", "\"none\"",
       [&] {
         stage()->mutable_validation()->set_every(2);
         stage()->mutable_validation()->add_evaluation("none");
       }},
      {"stage[0].validation:", "an evaluation in the plan",
       [&] {
         stage()->mutable_validation()->set_every(2);
         plan_.proto.clear_evaluation();
       }},
      {"stage[0].validation.target:", "nan",
       [&] {
         stage()->mutable_validation()->set_every(2);
         stage()->mutable_validation()->set_target(std::nan(""));
       }},
      {"stage[0].keep_last:", "got -1", [&] { stage()->set_keep_last(-1); }},
      {"stage[0].max_skipped:", "got -1", [&] { stage()->set_max_skipped(-1); }},
      {"stage[0].trainable[0]:", "\"connection:ID\"",
       [&] { stage()->set_trainable(0, "connection.depth"); }},
      {"stage[0].trainable[0]:", "not a regular expression",
       [&] { stage()->set_trainable(0, "name:("); }},
      {"stage[0].optimizer.warmup_ratio:", "from 0 to 1",
       [&] { stage()->mutable_optimizer()->set_warmup_ratio(2); }},
      {"stage[0].optimizer.ema_decay:", "below 1",
       [&] { stage()->mutable_optimizer()->set_ema_decay(1); }},
      {"stage[0].loss.label_smoothing:", "below 1",
       [&] { stage()->mutable_loss()->set_label_smoothing(1); }},
      {"stage[0].loss.rdrop_alpha:", "got -1",
       [&] { stage()->mutable_loss()->set_rdrop_alpha(-1); }},
      {"stage[0].dropout:", "below 1", [&] { stage()->set_dropout(1); }},
      {"stage[0].dropout:", "got -0.1", [&] { stage()->set_dropout(-0.1); }},
      {"stage[0].attention_dropout:", "got nan",
       [&] { stage()->set_attention_dropout(std::nan("")); }},
      {"stage[0].drop_path:", "got 1.5", [&] { stage()->set_drop_path(1.5); }},
      {"stage[0].source:", "at least one source", [&] { stage()->clear_source(); }},
      {"stage[0].source[0].task:", "nothing", [&] { source()->clear_task(); }},
      {"stage[0].source[0].path:", "no.jsonl", [&] { source()->set_path("no.jsonl"); }},
      {"stage[0].source[0].weight:", "got -1", [&] { source()->set_weight(-1); }},
      {"stage[0].source[0].unlock_step:", "below the stage's 10",
       [&] { source()->set_unlock_step(10); }},
      {"stage[0].source[0].unlock_after_plateau:", "a stage with validation",
       [&] { source()->set_unlock_after_plateau(2); }},
      {"stage[0].source:", "unlock_step 0", [&] { source()->set_unlock_step(1); }},
      {"stage[0].source[0].batch:", "positive", [&] { stage()->set_batch(0); }},
      {"stage[0].source[1].name:", "twice", [&] { AddSource("first"); }},
      {"evaluation[0].task:", "nothing", [&] { plan_.proto.mutable_evaluation(0)->clear_task(); }},
      {"evaluation[0].path:", "no.jsonl",
       [&] { plan_.proto.mutable_evaluation(0)->set_path("no.jsonl"); }},
      {"evaluation[0].name:", "results/NAME.jsonl",
       [&] { plan_.proto.mutable_evaluation(0)->set_name("../copy"); }},
      {"evaluation[0].limit:", "got -1", [&] { plan_.proto.mutable_evaluation(0)->set_limit(-1); }},
      {"stage[0].source[0].limit:", "got -1", [&] { source()->set_limit(-1); }},
      {"stage[0].cache.variants:", "stage[0].source[0].augment",
       [&] {
         stage()->mutable_cache()->set_enabled(true);
         source()->set_augment(true);
       }},
      {"new_modality[0].encoder_from:", "speech.safetensors",
       [&] { plan_.proto.add_new_modality()->set_encoder_from("speech.safetensors"); }},
      {"new_modality[0].positions_from:", "places.safetensors",
       [&] { plan_.proto.add_new_modality()->set_positions_from("places.safetensors"); }},
      {"new_modality[0].modality.id:", "nothing", [&] { plan_.proto.add_new_modality(); }},
  };
  const TrainingPlan good = plan_.proto;
  for (const Case& test : cases) {
    plan_.proto = good;
    test.spoil();
    const absl::Status status = CheckPlan(plan_);
    ASSERT_FALSE(status.ok()) << test.field << " " << test.also;
    EXPECT_THAT(status.message(), HasSubstr(std::string("plan.textproto: ") + test.field));
    EXPECT_THAT(status.message(), HasSubstr(test.also));
    EXPECT_THAT(status.message(), HasSubstr("; ")) << "no remedy";
  }
}

TEST_F(PlanTest, ReportsTheLineOfASyntaxError) {
  Write("bad.textproto", "name: \"x\"\nstage { stepz: 3 }\n");
  const absl::Status status = LoadPlan(folder_ + "/bad.textproto").status();
  EXPECT_THAT(status.message(), HasSubstr("bad.textproto:2:"));
  EXPECT_THAT(status.message(), HasSubstr("stepz"));
}

TEST_F(PlanTest, ReadsPathsRelativeToThePlan) {
  Write("good.textproto", "name: \"x\"\n");
  auto plan = LoadPlan(folder_ + "/good.textproto");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->directory, folder_);
  EXPECT_EQ(plan->data_root, folder_);
  EXPECT_EQ(JoinPath("a/b", "../c"), "a/c");
  EXPECT_EQ(JoinPath("a/b", "/c"), "/c");
}

TEST_F(PlanTest, NamesTheFieldInWhichTwoPlansDiffer) {
  TrainingPlan other = plan_.proto;
  other.mutable_stage(0)->mutable_source(0)->set_weight(7);
  EXPECT_THAT(CheckSamePlan(plan_.proto, other).message(), HasSubstr("stage[0].source[0].weight"));
  other.mutable_stage(0)->set_log_every(7);
  other.mutable_stage(0)->set_checkpoint_every(7);
  const std::string told(CheckSamePlan(plan_.proto, other).message());
  for (const char* allowed : {"log_every", "checkpoint_every", "evaluation", "ignored"})
    EXPECT_THAT(told, ::testing::Not(HasSubstr(allowed)));
  other = plan_.proto;
  other.mutable_stage(0)->set_log_every(7);
  other.clear_evaluation();
  EXPECT_EQ(CheckSamePlan(plan_.proto, other), absl::OkStatus());
}

TEST_F(PlanTest, GoesOnWithMoreStepsAndOtherEndsButNotWithFewerSteps) {
  TrainingPlan other = plan_.proto;
  other.mutable_stage(0)->set_steps(plan_.proto.stage(0).steps() + 5);
  other.mutable_stage(0)->set_keep_last(3);
  other.mutable_stage(0)->set_max_skipped(0);
  other.mutable_stage(0)->mutable_validation()->set_every(2);
  other.mutable_stage(0)->mutable_validation()->set_patience(1);
  EXPECT_EQ(CheckSamePlan(plan_.proto, other), absl::OkStatus());
  EXPECT_THAT(CheckSamePlan(other, plan_.proto).message(), HasSubstr("stage[0].steps"));
}

}  // namespace
}  // namespace unival
