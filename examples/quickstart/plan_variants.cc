#include "examples/quickstart/plan_variants.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"

namespace unival::quickstart {
namespace {

namespace fs = std::filesystem;

// Full finetuning from a connection's recipe: a rate at which pretrained weights are kept.
constexpr float kFullLearningRate = 1e-3f;

std::string RelativeTo(const std::string& folder, const std::string& path) {
  const fs::path relative = fs::absolute(path).lexically_normal().lexically_relative(
      fs::absolute(folder).lexically_normal());
  return relative.empty() ? path : relative.string();
}

void AddEvaluation(const char* name, const char* task, const char* path, int limit, double effort,
                   TrainingPlan* plan) {
  EvaluationPlan* evaluation = plan->add_evaluation();
  evaluation->set_name(name);
  evaluation->set_task(task);
  evaluation->set_path(path);
  evaluation->set_limit(std::max<int64_t>(8, std::llround(limit * effort)));
}

void SetEvaluations(double effort, TrainingPlan* plan) {
  plan->clear_evaluation();
  AddEvaluation(kCaptionSeen, "depth_caption", "depth/eval/caption.jsonl", 400, effort, plan);
  AddEvaluation(kCaptionHeldOut, "depth_caption", "depth/eval_held_out/caption.jsonl", 400, effort,
                plan);
  AddEvaluation(kAnswers, "depth_vqa", "depth/eval/vqa.jsonl", 400, effort, plan);
  AddEvaluation(kBoxes, "depth_grounding", "depth/eval/grounding.jsonl", 200, effort, plan);
}

// Makes a recipe independent of where it stands, and shorter when asked.
absl::StatusOr<TrainingPlan> ReadRecipe(const std::string& recipe, const PlanOptions& options) {
  TrainingPlan plan;
  UNIVAL_RETURN_IF_ERROR(ReadTextProto(recipe, &plan));
  const fs::path folder = fs::path(recipe).parent_path();
  for (std::string& file : *plan.mutable_templates()) {
    file = RelativeTo(options.plans_folder, (folder / file).string());
  }
  // What was learned beside the recipe's own model serves no other.
  std::error_code ignored;
  const bool is_own = fs::equivalent(folder / plan.model(), options.model, ignored);
  for (NewModalityPlan& added : *plan.mutable_new_modality()) {
    if (!absl::EndsWith(added.positions_from(), ".safetensors")) continue;
    if (is_own) {
      added.set_positions_from(
          RelativeTo(options.plans_folder, (folder / added.positions_from()).string()));
    } else {
      added.clear_positions_from();
    }
  }
  plan.set_model(RelativeTo(options.plans_folder, options.model));
  for (Stage& stage : *plan.mutable_stage()) {
    stage.set_steps(std::max<int64_t>(1, std::llround(stage.steps() * options.effort)));
    stage.set_log_every(std::max<int64_t>(1, std::min<int64_t>(20, stage.steps() / 20)));
  }
  return plan;
}

absl::StatusOr<TrainingPlan> ReadDepthRecipe(const std::string& recipe,
                                             const PlanOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(TrainingPlan plan, ReadRecipe(recipe, options));
  SetEvaluations(options.effort, &plan);
  return plan;
}

PlanVariant Variant(const PlanVariant& from, const char* name, const char* title,
                    const char* note) {
  PlanVariant variant{name, title, note, from.plan};
  variant.plan.set_name(absl::StrCat("quickstart_", name));
  return variant;
}

absl::StatusOr<PlanVariant> FullFinetuning(const PlanVariant& connection,
                                           const PlanOptions& options) {
  PlanVariant full = Variant(connection, kFull, "full finetuning", "every parameter trains");
  if (!options.full_plan.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(full.plan, ReadDepthRecipe(options.full_plan, options));
    return full;
  }
  for (Stage& stage : *full.plan.mutable_stage()) {
    stage.clear_trainable();
    stage.add_trainable("all");
    stage.mutable_optimizer()->set_learning_rate(kFullLearningRate);
    stage.clear_cache();
  }
  return full;
}

}  // namespace

absl::StatusOr<PlanVariant> LoadConnectionPlan(const std::string& recipe,
                                               const PlanOptions& options) {
  if (!IsThere(recipe)) {
    return absl::NotFoundError(absl::StrCat("recipe ", recipe,
                                            ": no such file; run from the project's folder or name "
                                            "the folder of recipes with --recipes"));
  }
  PlanVariant variant{
      kConnection, "connection only", "all else frozen: what the quickstart does", {}};
  UNIVAL_ASSIGN_OR_RETURN(variant.plan, ReadDepthRecipe(recipe, options));
  if (variant.plan.new_modality_size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(recipe,
                     ": new_modality: expected the modality to add, got none; use "
                     "recipes/depth_adapter.textproto"));
  }
  return variant;
}

absl::StatusOr<PlanVariant> LoadSensorPlan(const std::string& recipe, const PlanOptions& options) {
  PlanVariant variant{kSensor, "your sentences", "connection only", {}};
  UNIVAL_ASSIGN_OR_RETURN(variant.plan, ReadRecipe(recipe, options));
  return variant;
}

absl::StatusOr<std::vector<PlanVariant>> Controls(const PlanVariant& connection,
                                                  const PlanOptions& options) {
  std::vector<PlanVariant> controls;
  UNIVAL_ASSIGN_OR_RETURN(PlanVariant full, FullFinetuning(connection, options));
  controls.push_back(std::move(full));
  PlanVariant random =
      Variant(connection, kRandomBackbone, "random backbone", "same size, fresh weights, frozen");
  random.plan.set_random_backbone(true);
  controls.push_back(std::move(random));
  PlanVariant untrained =
      Variant(connection, kUntrainedEncoder, "untrained encoder", "fresh weights, frozen");
  for (NewModalityPlan& added : *untrained.plan.mutable_new_modality()) added.clear_encoder_from();
  controls.push_back(std::move(untrained));
  if (!options.no_text_model.empty()) {
    PlanVariant no_text =
        Variant(connection, kNoText, "no text", "backbone pretrained without text");
    no_text.plan.set_model(RelativeTo(options.plans_folder, options.no_text_model));
    controls.push_back(std::move(no_text));
  }
  return controls;
}

absl::StatusOr<std::string> WritePlan(const PlanVariant& variant, const PlanOptions& options) {
  const std::string path = absl::StrCat(options.plans_folder, "/", variant.name, ".textproto");
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(path, {PrintTextProto(variant.plan)}));
  return path;
}

}  // namespace unival::quickstart
