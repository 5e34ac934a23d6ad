#include "training/config/plan.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

void ResolveOptimizer(OptimizerPlan* plan) {
  if (!plan->has_beta1()) plan->set_beta1(0.9f);
  if (!plan->has_beta2()) plan->set_beta2(0.999f);
  if (!plan->has_epsilon()) plan->set_epsilon(1e-8f);
  if (plan->schedule().empty()) plan->set_schedule("constant");
}

void ResolveStage(int index, int64_t steps, Stage* stage) {
  if (stage->name().empty()) stage->set_name(absl::StrCat("stage", index + 1));
  if (steps > 0 && stage->epochs() > 0) {
    stage->clear_epochs();
    stage->clear_epochs_of();
    stage->set_steps(steps);
  } else if (steps > 0 && stage->steps() > 0) {
    for (SourcePlan& source : *stage->mutable_source()) {
      source.set_unlock_step(source.unlock_step() * steps / stage->steps());
    }
    stage->set_steps(steps);
  }
  if (!stage->has_micro_batches()) stage->set_micro_batches(1);
  if (!stage->has_log_every()) stage->set_log_every(20);
  if (stage->precision().empty()) stage->set_precision("float32");
  ResolveOptimizer(stage->mutable_optimizer());
  for (SourcePlan& source : *stage->mutable_source()) {
    if (source.name().empty()) source.set_name(source.task());
    if (!source.has_weight()) source.set_weight(1);
  }
}

// With the defaults of later fields too: a field that says its default is the same as none.
TrainingPlan WithAllDefaults(TrainingPlan plan) {
  ResolvePlan({}, &plan);
  for (Stage& stage : *plan.mutable_stage()) {
    stage.mutable_optimizer()->set_type(OptimizerNameOf(stage.optimizer()));
    stage.mutable_loss()->set_log_end(static_cast<float>(LogEnd(stage.loss())));
  }
  return plan;
}

// What weights do not depend on, and what only decides how long a stage goes on, is left out: it
// may change, and is no news in a message.
TrainingPlan WhatMayNotChange(const TrainingPlan& plan) {
  TrainingPlan kept = WithAllDefaults(plan);
  kept.clear_evaluation();
  for (Stage& stage : *kept.mutable_stage()) {
    stage.clear_checkpoint_every();
    stage.clear_log_every();
    stage.clear_keep_last();
    stage.clear_max_skipped();
    stage.clear_validation();
    // With R-Drop gradients of two passes are added, in another order.
    if (stage.loss().rdrop_alpha() == 0) stage.clear_activation_checkpointing();
  }
  return kept;
}

// More steps are no other plan: what was trained so far is the beginning of it.
void ForgetMoreSteps(const TrainingPlan& recorded, TrainingPlan* given) {
  for (int i = 0; i < std::min(recorded.stage_size(), given->stage_size()); ++i) {
    const int64_t before = recorded.stage(i).steps();
    if (given->stage(i).steps() > before) given->mutable_stage(i)->set_steps(before);
  }
}

}  // namespace

std::string JoinPath(const std::string& directory, const std::string& path) {
  return (fs::path(directory) / path).lexically_normal().string();
}

std::string SourceField(int stage, int source) {
  return absl::StrCat("stage[", stage, "].source[", source, "]");
}

absl::Status PlanError(const LoadedPlan& plan, absl::string_view field, absl::string_view expected,
                       absl::string_view actual, absl::string_view remedy) {
  return FieldError(absl::StrCat(plan.file, ": ", field), expected, actual, remedy);
}

absl::StatusOr<LoadedPlan> LoadPlan(const std::string& file, const std::string& data_root) {
  LoadedPlan loaded;
  loaded.file = file;
  fs::path parent = fs::path(file).parent_path();
  loaded.directory = parent.empty() ? "." : parent.string();
  loaded.data_root = data_root.empty() ? loaded.directory : data_root;
  UNIVAL_RETURN_IF_ERROR(ReadTextProto(file, &loaded.proto));
  return loaded;
}

void ResolvePlan(const PlanOverrides& overrides, TrainingPlan* plan) {
  if (overrides.seed.has_value()) plan->set_seed(*overrides.seed);
  for (int i = 0; i < plan->stage_size(); ++i) {
    ResolveStage(i, overrides.steps, plan->mutable_stage(i));
  }
  for (EvaluationPlan& evaluation : *plan->mutable_evaluation()) {
    if (evaluation.name().empty()) evaluation.set_name(evaluation.task());
  }
}

std::string OptimizerNameOf(const OptimizerPlan& plan) {
  return plan.type().empty() ? "adamw" : plan.type();
}

int64_t MaxSkipped(const Stage& stage) { return stage.has_max_skipped() ? stage.max_skipped() : 5; }

double LogEnd(const LossPlan& plan) { return plan.has_log_end() ? plan.log_end() : 1; }

absl::Status CheckSamePlan(const TrainingPlan& recorded, const TrainingPlan& given) {
  const TrainingPlan before = WhatMayNotChange(recorded);
  TrainingPlan now = WhatMayNotChange(given);
  ForgetMoreSteps(before, &now);
  google::protobuf::util::MessageDifferencer differ;
  differ.set_message_field_comparison(google::protobuf::util::MessageDifferencer::EQUIVALENT);
  std::string differences;
  differ.ReportDifferencesToString(&differences);
  if (differ.Compare(before, now)) return absl::OkStatus();
  while (!differences.empty() && differences.back() == '\n') differences.pop_back();
  return absl::FailedPreconditionError(absl::StrCat(
      "the plan differs from the one this run was started with:\n", differences,
      "\nresume with the same plan and seed and at least as many steps, or choose another "
      "output folder"));
}

}  // namespace unival
