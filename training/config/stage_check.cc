// The checks of a stage: a function for each of its parts.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/config/loss_mean.h"
#include "training/config/optimizer_plan.h"
#include "training/config/plan_checker.h"
#include "training/config/precision.h"
#include "training/config/trainable_pattern.h"

namespace unival {
namespace {

// Far beyond any run, and low enough that products of them are numbers.
constexpr int64_t kMaxSteps = 1000000000, kMaxRows = 65536;
constexpr double kMaxAlpha = 1000;

absl::Status CheckGroups(const std::string& field, const OptimizerPlan& plan,
                         const PlanChecker& check) {
  for (int i = 0; i < plan.group_size(); ++i) {
    const ParameterGroupPlan& group = plan.group(i);
    const std::string at = absl::StrCat(field, ".group[", i, "]");
    if (group.pattern_size() == 0 && !group.vectors()) {
      return check.Error(at + ".pattern", "a pattern, or vectors: true", "nothing",
                         absl::StrCat("say which parameters: ", TrainableForms()));
    }
    for (int j = 0; j < group.pattern_size(); ++j) {
      UNIVAL_RETURN_IF_ERROR(check.Accepted(absl::StrCat(at, ".pattern[", j, "]"),
                                            ParseTrainablePattern(group.pattern(j)).status()));
    }
    UNIVAL_RETURN_IF_ERROR(
        check.NotNegative(at + ".learning_rate_scale", group.learning_rate_scale()));
    UNIVAL_RETURN_IF_ERROR(check.NotNegative(at + ".weight_decay", group.weight_decay()));
  }
  return absl::OkStatus();
}

absl::Status CheckOptimizer(const std::string& field, const OptimizerPlan& plan, int64_t steps,
                            const PlanChecker& check) {
  UNIVAL_RETURN_IF_ERROR(
      check.Positive(field + ".learning_rate", plan.learning_rate(), "set a rate"));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".beta1", plan.beta1()));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".beta2", plan.beta2()));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".epsilon", plan.epsilon()));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".weight_decay", plan.weight_decay()));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".clip_norm", plan.clip_norm()));
  UNIVAL_RETURN_IF_ERROR(check.OneOf(field + ".type", OptimizerNameOf(plan), OptimizerNames()));
  UNIVAL_RETURN_IF_ERROR(check.OneOf(field + ".schedule", plan.schedule(), ScheduleNames()));
  UNIVAL_RETURN_IF_ERROR(check.Between(field + ".warmup_ratio", plan.warmup_ratio(), 0, 1));
  UNIVAL_RETURN_IF_ERROR(check.Between(field + ".flat_ratio", plan.flat_ratio(), 0, 1));
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".warmup_steps", plan.warmup_steps(), 0, kMaxSteps));
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".decay_steps", plan.decay_steps(), 0, kMaxSteps));
  if (plan.warmup_steps() > 0 && plan.warmup_ratio() > 0) {
    return check.Error(field + ".warmup_steps", "one of warmup_steps and warmup_ratio", "both",
                       "remove one");
  }
  UNIVAL_RETURN_IF_ERROR(CheckGroups(field, plan, check));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".ema_decay", plan.ema_decay()));
  // What the two themselves ask for beyond that, such as options of their own.
  const auto optimizer = CreateOptimizer(OptimizerNameOf(plan), MakeOptimizerConfig(plan), {});
  UNIVAL_RETURN_IF_ERROR(check.Accepted(field, optimizer.status()));
  return check.Accepted(
      field, Schedule::Create(plan.schedule(), MakeScheduleConfig(plan, steps)).status());
}

absl::Status CheckLoss(const std::string& field, const LossPlan& plan, const PlanChecker& check) {
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".label_smoothing", plan.label_smoothing()));
  UNIVAL_RETURN_IF_ERROR(check.Between(field + ".log_end", LogEnd(plan), 0, 1));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".drop_worst_ratio", plan.drop_worst_ratio()));
  UNIVAL_RETURN_IF_ERROR(check.Between(field + ".rdrop_alpha", plan.rdrop_alpha(), 0, kMaxAlpha));
  return check.NotNegative(field + ".drop_worst_after", plan.drop_worst_after());
}

absl::Status CheckSource(const LoadedPlan& loaded, int stage_index, int index,
                         const PlanChecker& check) {
  const Stage& stage = loaded.proto.stage(stage_index);
  const SourcePlan& source = stage.source(index);
  const std::string field = SourceField(stage_index, index);
  if (source.task().empty()) {
    return check.Error(field + ".task", "a task's name", "nothing", "name a template or task");
  }
  UNIVAL_RETURN_IF_ERROR(check.DataPresent(field + ".path", source.path()));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".weight", source.weight()));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".limit", source.limit()));
  const bool is_behind = stage.steps() > 0 && source.unlock_step() >= stage.steps();
  if (source.unlock_step() < 0 || is_behind) {
    return check.Error(
        field + ".unlock_step", absl::StrCat("a step from 0 to below the stage's ", stage.steps()),
        absl::StrCat(source.unlock_step()), "lower it, raise steps, or remove the source");
  }
  UNIVAL_RETURN_IF_ERROR(
      check.Whole(field + ".unlock_after_plateau", source.unlock_after_plateau(), 0, kMaxSteps));
  if (source.unlock_after_plateau() > 0 &&
      (source.unlock_step() > 0 || stage.validation().every() == 0)) {
    return check.Error(field + ".unlock_after_plateau",
                       "a stage with validation, and no unlock_step beside it",
                       absl::StrCat(source.unlock_after_plateau()),
                       "set validation.every of the stage, and one of the two");
  }
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".batch", source.batch(), 0, kMaxRows));
  if (source.batch() == 0 && stage.batch() <= 0) {
    return check.Error(field + ".batch", "a positive number of rows here or in the stage",
                       absl::StrCat(source.batch()), "set batch of the stage or of the source");
  }
  return absl::OkStatus();
}

absl::Status CheckSources(const LoadedPlan& loaded, int stage_index, const PlanChecker& check) {
  const Stage& stage = loaded.proto.stage(stage_index);
  const std::string field = absl::StrCat("stage[", stage_index, "].source");
  if (stage.source_size() == 0) {
    return check.Error(field, "at least one source", "none", "add a source with task and path");
  }
  std::set<std::string> names;
  bool open_at_start = false;
  for (int i = 0; i < stage.source_size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(CheckSource(loaded, stage_index, i, check));
    open_at_start |= stage.source(i).unlock_step() == 0 && stage.source(i).weight() > 0 &&
                     stage.source(i).unlock_after_plateau() == 0;
    if (!names.insert(stage.source(i).name()).second) {
      return check.Error(SourceField(stage_index, i) + ".name", "names that differ",
                         absl::StrCat("\"", stage.source(i).name(), "\" twice"),
                         "name the sources");
    }
  }
  if (open_at_start) return absl::OkStatus();
  return check.Error(field, "a source with unlock_step 0", "none",
                     "the first step needs data: unlock one source from the start");
}

absl::Status CheckValidation(const std::string& field, const LoadedPlan& loaded,
                             const ValidationPlan& plan, const PlanChecker& check) {
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".every", static_cast<double>(plan.every())));
  UNIVAL_RETURN_IF_ERROR(
      check.NotNegative(field + ".patience", static_cast<double>(plan.patience())));
  if (plan.every() == 0) {
    const bool says_nothing = plan.patience() == 0 && !plan.keep_best() &&
                              plan.evaluation_size() == 0 && plan.metric().empty() &&
                              !plan.has_target();
    if (says_nothing) return absl::OkStatus();
    return check.Error(field + ".every", "a number of steps", "0", "say how often to validate");
  }
  std::vector<std::string> names;
  for (const EvaluationPlan& evaluation : loaded.proto.evaluation()) {
    names.push_back(evaluation.name());
  }
  if (names.empty()) {
    return check.Error(field, "an evaluation in the plan", "none",
                       "add evaluation { task path } to validate by");
  }
  std::set<std::string> once;
  for (int i = 0; i < plan.evaluation_size(); ++i) {
    const std::string at = absl::StrCat(field, ".evaluation[", i, "]");
    UNIVAL_RETURN_IF_ERROR(check.OneOf(at, plan.evaluation(i), names));
    if (once.insert(plan.evaluation(i)).second) continue;
    return check.Error(at, "names that differ", absl::StrCat("\"", plan.evaluation(i), "\" twice"),
                       "name each evaluation once");
  }
  if (!plan.has_target() || std::isfinite(plan.target())) return absl::OkStatus();
  return check.Error(field + ".target", "a number", absl::StrCat(plan.target()),
                     "correct the value");
}

absl::Status CheckMixedBatches(const std::string& field, const Stage& stage,
                               const PlanChecker& check) {
  if (!stage.has_mixed_batches()) return absl::OkStatus();
  const std::string& mean = stage.mixed_batches().loss_mean();
  if (!ParseLossMean(mean)) {
    return check.OneOf(field + ".mixed_batches.loss_mean", mean, LossMeanNames());
  }
  UNIVAL_RETURN_IF_ERROR(
      check.Positive(field + ".batch", stage.batch(), "say how many rows a mixed micro-batch has"));
  for (int i = 0; i < stage.source_size(); ++i) {
    if (stage.source(i).batch() == 0) continue;
    return check.Error(absl::StrCat(field, ".source[", i, "].batch"),
                       "nothing, as rows of all sources share the stage's micro-batches",
                       absl::StrCat(stage.source(i).batch()), "set weight for the source's share");
  }
  return absl::OkStatus();
}

// Steps, or epochs of a source.
absl::Status CheckLength(const std::string& field, const Stage& stage, const PlanChecker& check) {
  if (stage.epochs() == 0 && stage.epochs_of().empty()) {
    UNIVAL_RETURN_IF_ERROR(check.Positive(field + ".steps", static_cast<double>(stage.steps()),
                                          "set the number of steps, or epochs"));
    return check.Whole(field + ".steps", stage.steps(), 1, kMaxSteps);
  }
  constexpr double kMaxEpochs = 1e6;
  UNIVAL_RETURN_IF_ERROR(check.Positive(field + ".epochs", stage.epochs(), "set a number"));
  UNIVAL_RETURN_IF_ERROR(check.Between(field + ".epochs", stage.epochs(), 0, kMaxEpochs));
  if (stage.steps() != 0) {
    return check.Error(field + ".epochs", "one of steps and epochs", "both", "remove one");
  }
  if (stage.epochs_of().empty()) return absl::OkStatus();
  std::vector<std::string> names;
  for (const SourcePlan& source : stage.source()) {
    if (source.weight() > 0) names.push_back(source.name());
  }
  return check.OneOf(field + ".epochs_of", stage.epochs_of(), names);
}

}  // namespace

absl::Status CheckStage(const LoadedPlan& loaded, int index, const PlanChecker& check) {
  const Stage& stage = loaded.proto.stage(index);
  const std::string field = absl::StrCat("stage[", index, "]");
  UNIVAL_RETURN_IF_ERROR(CheckLength(field, stage, check));
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".batch", stage.batch(), 0, kMaxRows));
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".micro_batches", stage.micro_batches(), 1, kMaxRows));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".checkpoint_every", stage.checkpoint_every()));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".log_every", stage.log_every()));
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".keep_last", stage.keep_last(), 0, kMaxRows));
  UNIVAL_RETURN_IF_ERROR(check.Whole(field + ".max_skipped", MaxSkipped(stage), 0, kMaxSteps));
  UNIVAL_RETURN_IF_ERROR(CheckValidation(field + ".validation", loaded, stage.validation(), check));
  UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".cache.variants", stage.cache().variants()));
  for (int i = 0; i < stage.source_size(); ++i) {
    if (!stage.cache().enabled() || !stage.source(i).augment()) continue;
    if (stage.cache().variants() >= 2) continue;
    return check.Error(field + ".cache.variants",
                       absl::StrCat("2 or more, as ", SourceField(index, i), ".augment is true"),
                       absl::StrCat(stage.cache().variants()),
                       "with fewer no item is ever varied: set cache.variants, or augment: false");
  }
  if (stage.trainable_size() == 0) {
    return check.Error(field + ".trainable", "at least one pattern", "none",
                       absl::StrCat("say what moves: ", TrainableForms()));
  }
  for (int i = 0; i < stage.trainable_size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(check.Accepted(absl::StrCat(field, ".trainable[", i, "]"),
                                          ParseTrainablePattern(stage.trainable(i)).status()));
  }
  UNIVAL_RETURN_IF_ERROR(check.OneOf(field + ".precision", stage.precision(), PrecisionNames()));
  // How many steps epochs are is known once the data are open; the schedule is then checked again.
  UNIVAL_RETURN_IF_ERROR(CheckOptimizer(field + ".optimizer", stage.optimizer(),
                                        std::max<int64_t>(1, stage.steps()), check));
  UNIVAL_RETURN_IF_ERROR(CheckLoss(field + ".loss", stage.loss(), check));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".dropout", stage.dropout()));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".attention_dropout", stage.attention_dropout()));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".drop_path", stage.drop_path()));
  UNIVAL_RETURN_IF_ERROR(CheckMixedBatches(field, stage, check));
  return CheckSources(loaded, index, check);
}

}  // namespace unival
