// Compares runs that save memory with runs that keep everything in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "training/run/plan_preview.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

// All of a fresh model of several layers, which drops of everything. `fields` of the stage.
TrainingPlan Deep(const std::string& fields) {
  TrainingPlan plan = Parse(kFreshPlan);
  BackboneConfig& backbone = *plan.mutable_fresh_model()->mutable_backbone();
  backbone.set_encoder_layers(3);
  backbone.set_decoder_layers(3);
  Stage stage = Parse(absl::StrCat("stage { ", fields, " }").c_str()).stage(0);
  plan.mutable_stage(0)->MergeFrom(stage);
  plan.mutable_stage(0)->set_checkpoint_every(2);
  return plan;
}

TrainingPlan Checkpointing(TrainingPlan plan) {
  for (Stage& stage : *plan.mutable_stage()) stage.set_activation_checkpointing(true);
  return plan;
}

std::map<std::string, std::string> Trained(const std::string& output, const TrainingPlan& plan) {
  TrainOk(Options(World(), plan, FreshOutput(output)));
  return After(output);
}

TEST(ActivationCheckpoints, ChangeNoBitOfARun) {
  for (const char* fields :
       {"", "dropout: 0.2 attention_dropout: 0.2 drop_path: 0.3", "precision: \"bfloat16\"",
        "precision: \"bfloat16\" dropout: 0.2", "dropout: 0.2 loss { rdrop_alpha: 1 }"}) {
    SCOPED_TRACE(fields);
    const TrainingPlan plan = Deep(fields);
    const auto expected = Trained("kept", plan);
    EXPECT_EQ(Trained("recomputed", Checkpointing(plan)), expected);
    EXPECT_EQ(Losses("recomputed"), Losses("kept"));
  }
}

TEST(ActivationCheckpoints, ChangeNoBitOfConnectionsAndAdaptersOfAFrozenModel) {
  TrainOk(Options(World(), Deep(""), FreshOutput("deep")));
  const TrainingPlan connection = [] {
    TrainingPlan plan = Parse(kAdapterPlan);
    plan.set_model("deep/model");
    return plan;
  }();
  EXPECT_EQ(Trained("recomputed", Checkpointing(connection)), Trained("kept", connection));
  TrainingPlan lora = connection;
  for (const char* kind : {"lora", "prefix", "bottleneck", "bitfit"}) {
    SCOPED_TRACE(kind);
    lora.clear_adapter();
    lora.add_adapter()->set_kind(kind);
    lora.mutable_stage(0)->set_trainable(0, absl::StrCat("adapter:", kind));
    EXPECT_EQ(Trained("recomputed", Checkpointing(lora)), Trained("kept", lora));
  }
}

TEST(ActivationCheckpoints, MayBeTurnedOnWhereARunGoesOn) {
  const TrainingPlan plan = Deep("dropout: 0.2");
  const auto whole = Trained("kept", plan);
  TrainOptions options = Options(World(), plan, FreshOutput("turned_on"));
  options.stop_after_step = 3;
  TrainOk(options);
  const TrainingPlan with = Checkpointing(plan);
  options.plan = &with;
  options.resume = true;
  options.stop_after_step = 0;
  TrainOk(options);
  EXPECT_EQ(After("turned_on"), whole);
  const auto preview = PreviewPlan(options, TheRuntime(), "");
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_TRUE(preview->stages[0].activation_checkpointing);
}

}  // namespace
}  // namespace unival::trainer_tests
