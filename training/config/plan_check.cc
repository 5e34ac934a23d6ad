// All that a plan can get wrong, in one piece: a check for each part of plan.proto, in its order.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/adapters/adapter_config.h"
#include "runtime/input_size.h"
#include "sdk/base/names.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/config/optimizer_plan.h"
#include "training/config/plan.h"
#include "training/config/precision.h"
#include "training/config/trainable_pattern.h"
#include "training/data/data_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

bool Contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Checks one plan; messages name a field by its path, "stage[0].source[1].task".
class Checker {
 public:
  explicit Checker(const LoadedPlan& plan) : plan_(plan) {}

  absl::Status Error(absl::string_view field, absl::string_view expected, absl::string_view actual,
                     absl::string_view remedy) const {
    return PlanError(plan_, field, expected, actual, remedy);
  }

  absl::Status Between(absl::string_view field, double value, double low, double high) const {
    if (std::isfinite(value) && value >= low && value <= high) return absl::OkStatus();
    return Error(field, absl::StrCat("a number from ", low, " to ", high), absl::StrCat(value),
                 "correct the value");
  }

  absl::Status Below1(absl::string_view field, double value) const {
    if (value >= 0 && value < 1) return absl::OkStatus();
    return Error(field, "a number from 0 to below 1", absl::StrCat(value), "correct the value");
  }

  absl::Status Positive(absl::string_view field, double value, absl::string_view remedy) const {
    if (std::isfinite(value) && value > 0) return absl::OkStatus();
    return Error(field, "a positive number", absl::StrCat(value), remedy);
  }

  absl::Status NotNegative(absl::string_view field, double value) const {
    if (std::isfinite(value) && value >= 0) return absl::OkStatus();
    return Error(field, "0 or more", absl::StrCat(value), "correct the value");
  }

  absl::Status Whole(absl::string_view field, int64_t value, int64_t low, int64_t high) const {
    if (value >= low && value <= high) return absl::OkStatus();
    return Error(field, absl::StrCat("a whole number from ", low, " to ", high),
                 absl::StrCat(value), "correct the value");
  }

  absl::Status OneOf(absl::string_view field, const std::string& value,
                     const std::vector<std::string>& allowed) const {
    if (Contains(allowed, value)) return absl::OkStatus();
    return Error(field, absl::StrCat("one of ", absl::StrJoin(allowed, ", ")),
                 absl::StrCat("\"", value, "\""), "choose one of these");
  }

  absl::Status Present(absl::string_view field, const std::string& path,
                       const std::string& directory, absl::string_view remedy) const {
    if (path.empty()) return Error(field, "a path", "nothing", remedy);
    std::string full = JoinPath(directory, path);
    std::error_code error;
    if (fs::exists(full, error)) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(plan_.file, ": ", field,
                                            ": expected an existing path, got \"", path,
                                            "\" (looked at ", full, "); ", remedy));
  }

  // The same for a path that may mean many files.
  absl::Status DataPresent(absl::string_view field, const std::string& path) const {
    constexpr char kRemedy[] =
        "paths are relative to the data root: create the data or set --data_root";
    if (path.empty()) return Error(field, "a path", "nothing", kRemedy);
    const auto files = ExpandDataPath(JoinPath(plan_.data_root, path));
    if (!absl::IsNotFound(files.status())) return Annotate(files.status(), plan_.file, ": ", field);
    return absl::NotFoundError(
        absl::StrCat(plan_.file, ": ", field, ": expected an existing path, got \"", path,
                     "\" (looked at ", files.status().message(), "); ", kRemedy));
  }

  // `status` of what the field says, with the field before its message.
  absl::Status Accepted(absl::string_view field, const absl::Status& status) const {
    if (status.ok()) return status;
    return WithMessage(status, absl::StrCat(plan_.file, ": ", field, ": ", status.message(),
                                            "; correct the plan"));
  }

 private:
  const LoadedPlan& plan_;
};

// Far beyond any run, and low enough that products of them are numbers.
constexpr int64_t kMaxSteps = 1000000000, kMaxRows = 65536;
// Names of evaluations are names of files.
constexpr size_t kMaxName = 200;

absl::Status CheckFreshModel(const LoadedPlan& loaded, const Checker& check) {
  const TrainingPlan& plan = loaded.proto;
  UNIVAL_RETURN_IF_ERROR(check.Present("tokenizer_directory", plan.tokenizer_directory(),
                                       loaded.directory,
                                       "a fresh model needs a trained tokenizer's folder"));
  if (plan.random_backbone()) {
    return check.Error("random_backbone", "false for a fresh model", "true",
                       "a fresh model's backbone is random already");
  }
  if (plan.start_from().empty()) return absl::OkStatus();
  return check.Present("start_from", plan.start_from(), loaded.directory,
                       "train or download that model first");
}

absl::Status CheckBaseModel(const LoadedPlan& loaded, const Checker& check) {
  const TrainingPlan& plan = loaded.proto;
  if (!plan.start_from().empty()) {
    return check.Error("start_from", "nothing beside model", plan.start_from(),
                       "it is for a fresh_model; a plan with model starts from that one");
  }
  return check.Present("model", plan.model(), loaded.directory,
                       "train or download that model first");
}

absl::Status CheckOrigin(const LoadedPlan& loaded, const Checker& check) {
  const TrainingPlan& plan = loaded.proto;
  if (plan.model().empty() == !plan.has_fresh_model()) {
    return check.Error("model", "exactly one of model and fresh_model",
                       plan.has_fresh_model() ? "both" : "neither",
                       "name a model directory, or describe a fresh model");
  }
  UNIVAL_RETURN_IF_ERROR(plan.has_fresh_model() ? CheckFreshModel(loaded, check)
                                                : CheckBaseModel(loaded, check));
  for (int i = 0; i < plan.templates_size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(check.Present(absl::StrCat("templates[", i, "]"), plan.templates(i),
                                         loaded.directory,
                                         "paths are relative to the plan's folder"));
  }
  return absl::OkStatus();
}

absl::Status CheckNewModalities(const LoadedPlan& loaded, const Checker& check) {
  const TrainingPlan& plan = loaded.proto;
  std::set<std::string> ids;
  for (int i = 0; i < plan.new_modality_size(); ++i) {
    const std::string at = absl::StrCat("new_modality[", i, "]");
    const std::string& encoder = plan.new_modality(i).encoder_from();
    if (absl::EndsWith(encoder, ".safetensors")) {
      UNIVAL_RETURN_IF_ERROR(check.Present(at + ".encoder_from", encoder, loaded.directory,
                                           "the file is relative to the plan"));
    }
    const std::string& id = plan.new_modality(i).modality().id();
    const std::string field = at + ".modality.id";
    if (id.empty()) return check.Error(field, "an id", "nothing", "give the modality an id");
    if (!ids.insert(id).second) {
      return check.Error(field, "ids that differ", absl::StrCat("\"", id, "\" twice"),
                         "rename one");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckGroups(const std::string& field, const OptimizerPlan& plan,
                         const Checker& check) {
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

absl::Status CheckAdapters(const LoadedPlan& loaded, const Checker& check) {
  std::set<std::string> ids;
  for (int i = 0; i < loaded.proto.adapter_size(); ++i) {
    const AdapterConfig& adapter = loaded.proto.adapter(i);
    const std::string field = absl::StrCat("adapter[", i, "]");
    const absl::Status status = CheckAdapterConfig(adapter);
    if (!status.ok()) {
      return WithMessage(status, absl::StrCat(loaded.file, ": ", field, ".", status.message()));
    }
    if (ids.insert(AdapterIdOf(adapter)).second) continue;
    return check.Error(field + ".id", "ids that differ",
                       absl::StrCat("\"", AdapterIdOf(adapter), "\" twice"),
                       "give one of them an id of its own");
  }
  return absl::OkStatus();
}

absl::Status CheckOptimizer(const std::string& field, const OptimizerPlan& plan, int64_t steps,
                            const Checker& check) {
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

absl::Status CheckLoss(const std::string& field, const LossPlan& plan, const Checker& check) {
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".label_smoothing", plan.label_smoothing()));
  UNIVAL_RETURN_IF_ERROR(check.Between(field + ".log_end", LogEnd(plan), 0, 1));
  UNIVAL_RETURN_IF_ERROR(check.Below1(field + ".drop_worst_ratio", plan.drop_worst_ratio()));
  return check.NotNegative(field + ".drop_worst_after", plan.drop_worst_after());
}

absl::Status CheckSource(const LoadedPlan& loaded, int stage_index, int index,
                         const Checker& check) {
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

absl::Status CheckSources(const LoadedPlan& loaded, int stage_index, const Checker& check) {
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
                             const ValidationPlan& plan, const Checker& check) {
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

// Steps, or epochs of a source.
absl::Status CheckLength(const std::string& field, const Stage& stage, const Checker& check) {
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

absl::Status CheckStage(const LoadedPlan& loaded, int index, const Checker& check) {
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
  return CheckSources(loaded, index, check);
}

absl::Status CheckEvaluations(const LoadedPlan& loaded, const Checker& check) {
  std::set<std::string> names;
  for (int i = 0; i < loaded.proto.evaluation_size(); ++i) {
    const EvaluationPlan& evaluation = loaded.proto.evaluation(i);
    std::string field = absl::StrCat("evaluation[", i, "]");
    if (evaluation.task().empty()) {
      return check.Error(field + ".task", "a task's name", "nothing", "name a template or task");
    }
    if (!names.insert(evaluation.name()).second) {
      return check.Error(field + ".name", "names that differ",
                         absl::StrCat("\"", evaluation.name(), "\" twice"), "name the evaluations");
    }
    if (absl::StrContains(evaluation.name(), '/') || absl::StrContains(evaluation.name(), "..")) {
      return check.Error(field + ".name", "a name without \"/\" and \"..\"",
                         absl::StrCat("\"", evaluation.name(), "\""),
                         "rename it: the answers are written to results/NAME.jsonl");
    }
    if (evaluation.name().size() > kMaxName || Printable(evaluation.name()) != evaluation.name() ||
        absl::StrContains(evaluation.name(), '\n')) {
      return check.Error(field + ".name",
                         absl::StrCat("at most ", kMaxName, " bytes without control characters"),
                         absl::StrCat("\"", evaluation.name(), "\""),
                         "rename it: the answers are written to results/NAME.jsonl");
    }
    UNIVAL_RETURN_IF_ERROR(check.NotNegative(field + ".limit", evaluation.limit()));
    UNIVAL_RETURN_IF_ERROR(check.DataPresent(field + ".path", evaluation.path()));
  }
  return absl::OkStatus();
}

absl::Status CheckMediaRoots(const LoadedPlan& loaded, const Checker& check) {
  for (const auto& [name, folder] : loaded.proto.media_root()) {
    const std::string field = absl::StrCat("media_root[\"", name, "\"]");
    if (!IsId(name)) {
      return check.Error(field, absl::StrCat("a name of the form ", kIdForm),
                         absl::StrCat("\"", name, "\""), "rename it here and in the records");
    }
    UNIVAL_RETURN_IF_ERROR(
        check.Present(field, folder, loaded.data_root, "folders are relative to the data root"));
  }
  return absl::OkStatus();
}

absl::Status CheckInputSizes(const LoadedPlan& loaded, const Checker& check) {
  for (const auto& [modality, size] : loaded.proto.input_size()) {
    const std::string field = absl::StrCat("input_size[\"", modality, "\"]");
    if (loaded.proto.has_fresh_model()) {
      return check.Error(field, "a plan with model", "one with fresh_model",
                         "say the size in fresh_model.modality");
    }
    const absl::Status fits = CheckInputSize(size);
    if (!fits.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(loaded.file, ": ", field, ": ", fits.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPlan(const LoadedPlan& plan) {
  Checker check(plan);
  UNIVAL_RETURN_IF_ERROR(CheckOrigin(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckMediaRoots(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckInputSizes(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckNewModalities(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckAdapters(plan, check));
  if (plan.proto.stage_size() == 0) {
    return check.Error("stage", "at least one stage", "none", "add a stage with sources and steps");
  }
  std::set<std::string> names;
  for (int i = 0; i < plan.proto.stage_size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(CheckStage(plan, i, check));
    if (!names.insert(plan.proto.stage(i).name()).second) {
      return check.Error(absl::StrCat("stage[", i, "].name"), "names that differ",
                         absl::StrCat("\"", plan.proto.stage(i).name(), "\" twice"), "rename one");
    }
  }
  return CheckEvaluations(plan, check);
}

absl::Status CheckPlugins(const LoadedPlan& plan, const Runtime& runtime) {
  for (int i = 0; i < plan.proto.plugin_size(); ++i) {
    const std::string& wanted = plan.proto.plugin(i);
    std::vector<std::string> loaded;
    std::string reason;
    for (const PluginReport& report : runtime.plugins()) {
      if (report.status.ok()) loaded.push_back(report.id);
      if (report.id == wanted && !report.status.ok()) {
        reason = absl::StrCat(" (", report.file, ": ", report.status.message(), ")");
      }
    }
    if (Contains(loaded, wanted)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        plan.file, ": plugin[", i, "]: expected plugin \"", wanted, "\" to be loaded, got ",
        loaded.empty() ? std::string("no plugin")
                       : absl::StrCat("only ", absl::StrJoin(loaded, ", ")),
        reason, "; load it with --plugin FILE or put its folder on --plugin_path"));
  }
  return absl::OkStatus();
}

}  // namespace unival
