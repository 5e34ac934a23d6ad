#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "runtime/template_hashes.h"
#include "sdk/base/files.h"
#include "sdk/base/json_text.h"
#include "sdk/base/memory_use.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_set.h"
#include "training/evaluation/diagnosis.h"
#include "training/run/run.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

Json MetricsJson(const std::map<std::string, double>& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = value;
  return json;
}

// What each stage came to.
Json StagesJson(const Run& run) {
  Json stages = Json::array();
  for (int i = 0; i < run.plan.proto.stage_size(); ++i) {
    const Stage& stage = run.plan.proto.stage(i);
    const size_t at = static_cast<size_t>(i);
    Json line = {{"name", stage.name()}, {"planned_steps", stage.steps()}};
    if (at < run.state.finished.size()) line["steps"] = run.state.finished[at];
    if (at < run.state.ends.size()) line["ended_by"] = run.state.ends[at];
    const auto rows = run.state.totals.source_rows.find(stage.name());
    if (rows != run.state.totals.source_rows.end()) line["rows"] = rows->second;
    stages.push_back(std::move(line));
  }
  return stages;
}

std::string TemplateHashes(const Run& run) {
  return absl::StrJoin(run.templates, " ", [](std::string* out, const SharedTemplateSet& set) {
    absl::StrAppend(out, TemplateSetHash(*set));
  });
}

Json EvaluationJson(const EvaluationResult& evaluation) {
  Json json = {{"task", evaluation.task},
               {"samples", evaluation.samples},
               {"failures", evaluation.failures},
               {"seconds", evaluation.seconds},
               {"metrics", MetricsJson(evaluation.metrics)}};
  const auto remarks = evaluation.scores.Remarks(evaluation.metrics);
  if (!remarks.empty()) json["remarks"] = remarks;
  if (evaluation.constant) {
    json["constant"] = {{"answer", evaluation.constant->text},
                        {"metrics", MetricsJson(evaluation.constant->metrics)}};
    const auto& of_kind = evaluation.constant->text_of_kind;
    if (!of_kind.empty()) json["constant"]["answer_of_kind"] = of_kind;
  }
  if (!evaluation.diagnosis.empty()) json["diagnosis"] = evaluation.diagnosis;
  return json;
}

absl::Status WriteResults(const Run& run, const TrainResult& result) {
  Json evaluations = Json::object();
  for (const auto& [name, evaluation] : result.evaluations) {
    evaluations[name] = EvaluationJson(evaluation);
  }
  const Json json = {{"format", "unival-results/1"},
                     {"plan", run.plan.proto.name()},
                     {"plan_sha256", Sha256Hex(PrintTextProto(run.plan.proto))},
                     {"template_hash", TemplateHashes(run)},
                     {"template_set_hash", StoredTemplatesHash(run.model->templates())},
                     {"seed", run.plan.proto.seed()},
                     {"steps", result.steps},
                     {"stages", StagesJson(run)},
                     {"final_loss", result.final_loss},
                     {"seconds", result.seconds},
                     {"steps_per_second", result.steps_per_second},
                     {"peak_memory_mb", result.peak_memory_mb},
                     {"trainable_parameters", result.trainable_scalars},
                     {"frozen_tensors_changed", result.frozen_changed},
                     {"rows", run.state.totals.rows},
                     {"target_tokens", run.state.totals.tokens},
                     {"decode_failures", run.state.totals.decode_failures},
                     {"skipped_batches", run.state.totals.skipped},
                     {"encoder_calls", result.encoder_calls},
                     {"cache_hits", result.cache_hits},
                     {"evaluations", evaluations}};
  const std::string text = JsonText(json, 1) + "\n";
  return WriteFileAtomically(run.Path("results.json"), {text});
}

// The source of the last stage that trains this task; null without one.
const Source* TrainingSourceOf(const Run& run, const std::string& task) {
  const Source* found = nullptr;
  for (const std::vector<StageSource>& stage : run.data.stages) {
    for (const StageSource& source : stage) {
      if (source.task->info().name == task) found = source.source;
    }
  }
  return found;
}

// Says why an evaluation came out no better than a constant answer.
absl::Status DiagnoseIfPoor(Run* run, const Source& source, EvaluationResult* evaluated) {
  if (!IsNoBetterThanConstant(*evaluated)) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(
      evaluated->diagnosis,
      Diagnose(*run->pipeline, *evaluated, TrainingSourceOf(*run, evaluated->task), source));
  run->printer.Warn(absl::StrCat("evaluation \"", evaluated->name, "\": ", evaluated->diagnosis));
  return absl::OkStatus();
}

absl::Status RunEvaluations(Run* run, TrainResult* result) {
  for (int i = 0; i < run->plan.proto.evaluation_size(); ++i) {
    const EvaluationPlan& plan = run->plan.proto.evaluation(i);
    UNIVAL_RETURN_IF_ERROR(MakeFolders(run->Path("results")));
    EvaluationOptions options;
    options.results_file = run->Path(absl::StrCat("results/", plan.name(), ".jsonl"));
    options.progress = [&](int64_t done, int64_t total) {
      run->printer.Count(absl::StrCat("evaluating ", plan.name()), done, total);
    };
    UNIVAL_ASSIGN_OR_RETURN(auto evaluated, Annotate(Evaluate(*run->pipeline, plan.task(),
                                                              *run->data.evaluations[i], options),
                                                     "evaluation \"", plan.name(), "\""));
    evaluated.name = plan.name();
    UNIVAL_RETURN_IF_ERROR(Annotate(DiagnoseIfPoor(run, *run->data.evaluations[i], &evaluated),
                                    "evaluation \"", plan.name(), "\""));
    result->evaluations[plan.name()] = std::move(evaluated);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SaveModel(const Run& run, const absl::optional<UnfinishedRun>& unfinished,
                       const std::string& directory) {
  const TrainingPlan& plan = run.plan.proto;
  Lineage lineage;
  lineage.set_command("train");
  lineage.set_plan(plan.name());
  lineage.set_seed(plan.seed());
  lineage.set_parent_backbone_sha256(run.parent_backbone_sha256);
  lineage.set_note(NoteOf(unfinished));
  // Replaces, in one step, the model of a run that was killed after this.
  return run.model->Save(directory, lineage, plan.save_half());
}

absl::StatusOr<Receipt> WriteReceipt(const Run& run, const std::vector<TensorHash>& after,
                                     const absl::optional<UnfinishedRun>& unfinished,
                                     const std::string& file) {
  ReceiptDescription description;
  description.plan_name = run.plan.proto.name();
  description.plan_sha256 = Sha256Hex(PrintTextProto(run.plan.proto));
  description.base_model = run.plan.proto.model();
  description.seed = run.plan.proto.seed();
  description.stored_half = run.plan.proto.save_half();
  description.fresh = run.fresh;
  description.unfinished = unfinished;
  Receipt receipt = MakeReceipt(description, run.before, after, run.state.trained);
  const std::string json = ReceiptToJson(receipt);
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(file, {json}));
  if (receipt.frozen_changed == 0) return receipt;
  return absl::InternalError(
      absl::StrCat(file, ": ", receipt.frozen_changed,
                   " frozen tensors changed; this is a fault of a modality or of the trainer"));
}

absl::Status FinishRun(Run* run, TrainResult* result) {
  const bool half = run->plan.proto.save_half();
  const std::vector<TensorHash> after = HashState(*run->model, half);
  if (half) run->model->RoundToHalf();
  // As it ran: a run that was resumed may have been given other intervals of logging.
  const std::string plan = PrintTextProto(run->plan.proto);
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(run->Path("plan.textproto"), {plan}));
  UNIVAL_RETURN_IF_ERROR(SaveModel(*run, absl::nullopt, run->Path("model")));
  UNIVAL_ASSIGN_OR_RETURN(const Receipt receipt,
                          WriteReceipt(*run, after, absl::nullopt, run->Path("receipt.json")));
  result->trainable_scalars = receipt.trainable_scalars;
  result->frozen_changed = receipt.frozen_changed;
  UNIVAL_RETURN_IF_ERROR(RunEvaluations(run, result));
  result->peak_memory_mb = PeakMemoryMb();
  UNIVAL_RETURN_IF_ERROR(WriteResults(*run, *result));
  for (const auto& named : result->evaluations) {
    UNIVAL_RETURN_IF_ERROR(CheckReadable(named.second));
  }
  return absl::OkStatus();
}

}  // namespace unival
