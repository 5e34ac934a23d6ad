// All that a plan can get wrong: a check for each part of plan.proto, in its order.
#include <set>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/adapters/adapter_config.h"
#include "runtime/input_size.h"
#include "sdk/base/names.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/config/plan.h"
#include "training/config/plan_checker.h"

namespace unival {
namespace {

// Names of evaluations are names of files.
constexpr size_t kMaxName = 200;

absl::Status CheckFreshModel(const LoadedPlan& loaded, const PlanChecker& check) {
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

absl::Status CheckBaseModel(const LoadedPlan& loaded, const PlanChecker& check) {
  const TrainingPlan& plan = loaded.proto;
  if (!plan.start_from().empty()) {
    return check.Error("start_from", "nothing beside model", plan.start_from(),
                       "it is for a fresh_model; a plan with model starts from that one");
  }
  return check.Present("model", plan.model(), loaded.directory,
                       "train or download that model first");
}

absl::Status CheckOrigin(const LoadedPlan& loaded, const PlanChecker& check) {
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

absl::Status CheckNewModalities(const LoadedPlan& loaded, const PlanChecker& check) {
  const TrainingPlan& plan = loaded.proto;
  std::set<std::string> ids;
  for (int i = 0; i < plan.new_modality_size(); ++i) {
    const std::string at = absl::StrCat("new_modality[", i, "]");
    const NewModalityPlan& added = plan.new_modality(i);
    for (const auto& [name, from] : {std::pair(".encoder_from", added.encoder_from()),
                                     std::pair(".positions_from", added.positions_from())}) {
      if (!absl::EndsWith(from, ".safetensors")) continue;
      UNIVAL_RETURN_IF_ERROR(
          check.Present(at + name, from, loaded.directory, "the file is relative to the plan"));
    }
    const std::string& id = added.modality().id();
    const std::string field = at + ".modality.id";
    if (id.empty()) return check.Error(field, "an id", "nothing", "give the modality an id");
    if (!ids.insert(id).second) {
      return check.Error(field, "ids that differ", absl::StrCat("\"", id, "\" twice"),
                         "rename one");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAdapters(const LoadedPlan& loaded, const PlanChecker& check) {
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

absl::Status CheckEvaluations(const LoadedPlan& loaded, const PlanChecker& check) {
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

absl::Status CheckMediaRoots(const LoadedPlan& loaded, const PlanChecker& check) {
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

absl::Status CheckInputSizes(const LoadedPlan& loaded, const PlanChecker& check) {
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

absl::Status CheckModalityOptions(const LoadedPlan& loaded, const PlanChecker& check) {
  std::set<std::string> ids;
  for (int i = 0; i < loaded.proto.modality_options_size(); ++i) {
    const ModalityOptionsPlan& given = loaded.proto.modality_options(i);
    const std::string field = absl::StrCat("modality_options[", i, "]");
    if (loaded.proto.has_fresh_model()) {
      return check.Error(field, "a plan with model", "one with fresh_model",
                         "give fresh_model.modality the options");
    }
    if (given.modality().empty() || !ids.insert(given.modality()).second) {
      return check.Error(field + ".modality", "the id of a modality, each once",
                         absl::StrCat("\"", given.modality(), "\""), "name one of the model's");
    }
    if (given.option().empty()) {
      return check.Error(field + ".option", "at least one", "none",
                         "say option { key: \"augment\" value: \"rand_augment\" }");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPlan(const LoadedPlan& plan) {
  PlanChecker check(plan);
  UNIVAL_RETURN_IF_ERROR(CheckOrigin(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckMediaRoots(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckInputSizes(plan, check));
  UNIVAL_RETURN_IF_ERROR(CheckModalityOptions(plan, check));
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
    if (absl::c_linear_search(loaded, wanted)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        plan.file, ": plugin[", i, "]: expected plugin \"", wanted, "\" to be loaded, got ",
        loaded.empty() ? std::string("no plugin")
                       : absl::StrCat("only ", absl::StrJoin(loaded, ", ")),
        reason, "; load it with --plugin FILE or put its folder on --plugin_path"));
  }
  return absl::OkStatus();
}

}  // namespace unival
