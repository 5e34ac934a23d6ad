#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_set.h"
#include "training/evaluation/main_metric.h"
#include "training/run/answer_length_check.h"
#include "training/run/feature_statistics.h"
#include "training/run/record_sweep.h"
#include "training/run/run.h"
#include "training/run/run_folder.h"
#include "training/run/run_identity.h"
#include "training/run/stage_length.h"
#include "training/run/validation.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

absl::Status PrepareOutput(Run* run) {
  const std::string& output = run->options.output;
  if (output.empty()) return absl::InvalidArgumentError("output: expected a folder, got nothing");
  std::error_code error;
  if (!fs::is_directory(output, error)) UNIVAL_RETURN_IF_ERROR(MakeFolders(output));
  // Process 0 has the folder; the others read what a checkpoint holds.
  if (!run->IsFirst()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(run->lock, FolderLock::Take(output));
  return CheckRunFolder(output, run->options.resume);
}

// Stores the plan's template sets with the model, complete by themselves.
void AddTemplates(const Run& run) {
  for (const SharedTemplateSet& set : run.templates) {
    run.model->AddTemplates(fs::path(set->file).filename().string(), set);
  }
}

}  // namespace

absl::Status RestoreModel(const Run& run, const std::map<std::string, at::Tensor>& saved) {
  std::map<std::string, at::Tensor> live;
  for (const NamedTensor& entry : run.model->State()) live[entry.name] = entry.tensor;
  at::NoGradGuard no_grad;
  for (const auto& [full, tensor] : saved) {
    absl::string_view name = full;
    if (!absl::ConsumePrefix(&name, kModelPrefix)) continue;
    auto found = live.find(std::string(name));
    if (found == live.end() || found->second.sizes() != tensor.sizes()) {
      return absl::InvalidArgumentError(absl::StrCat(
          run.options.output, ": the checkpoint's tensor ", name, " does not fit the model"));
    }
    found->second.copy_(tensor);
  }
  return absl::OkStatus();
}

namespace {

// Where a run stands must be a place of its plan.
absl::Status CheckPlace(const Run& run, const RunState& state) {
  const auto& stages = run.plan.proto.stage();
  int64_t before = 0;
  for (int i = 0; i < std::min(state.stage, stages.size()); ++i) {
    // A stage that its validations ended took fewer steps than planned.
    const bool known = static_cast<size_t>(i) < state.finished.size();
    const int64_t planned = stages[i].steps();
    before += known ? std::min(state.finished[static_cast<size_t>(i)], planned) : planned;
  }
  const int64_t most = state.stage < stages.size() ? stages[state.stage].steps() : 0;
  if (state.stage <= stages.size() && state.stage_step <= most &&
      state.step == before + state.stage_step) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      run.Path("checkpoint"), ": damaged checkpoint: expected a step of the plan's ", stages.size(),
      " stages, got stage ", state.stage, ", stage_step ", state.stage_step, ", step ", state.step,
      "; remove the folder checkpoint and start the run anew"));
}

// Checkpoints that stay, as the stage at work says.
int CheckpointsToKeep(const Run& run) {
  const auto& stages = run.plan.proto.stage();
  return stages[std::min(run.state.stage, stages.size() - 1)].keep_last();
}

absl::Status Resume(Run* run, const absl::optional<RunIdentity>& recorded,
                    std::map<std::string, at::Tensor>* optimizer_state) {
  const std::string folder = run->Path("checkpoint");
  UNIVAL_ASSIGN_OR_RETURN(absl::optional<Checkpoint> checkpoint, LoadCheckpoint(folder));
  if (!checkpoint) return absl::OkStatus();
  if (recorded) UNIVAL_RETURN_IF_ERROR(CheckRunKey(*recorded, checkpoint->state, folder));
  UNIVAL_RETURN_IF_ERROR(CheckPlace(*run, checkpoint->state));
  UNIVAL_RETURN_IF_ERROR(RestoreModel(*run, checkpoint->tensors));
  for (const auto& [full, tensor] : checkpoint->tensors) {
    absl::string_view name = full;
    if (absl::ConsumePrefix(&name, kOptimizerPrefix))
      (*optimizer_state)[std::string(name)] = tensor.clone();
  }
  run->state = std::move(checkpoint->state);
  if (run->options.world != nullptr) UNIVAL_RETURN_IF_ERROR(run->options.world->Barrier());
  if (run->IsFirst()) {
    RemoveEarlierCheckpoints(folder, CheckpointsToKeep(*run));
  }
  return absl::OkStatus();
}

// A metric that the judge does not give is said before the first step.
absl::Status CheckValidationMetrics(const Run& run) {
  for (const Stage& stage : run.plan.proto.stage()) {
    const ValidationPlan& validation = stage.validation();
    const std::vector<int> evaluations = ValidatingEvaluations(run.plan.proto, validation);
    // Values of groups, "accuracy/kind=count", are known once all records were read.
    if (validation.every() == 0 || evaluations.empty() || validation.metric().empty() ||
        absl::StrContains(validation.metric(), '/')) {
      continue;
    }
    const EvaluationPlan& judge = run.plan.proto.evaluation(evaluations[0]);
    UNIVAL_ASSIGN_OR_RETURN(const Task* task, run.pipeline->task(judge.task()));
    const std::unique_ptr<Metric> metric = task->NewMetric();
    const auto first = run.data.evaluations[static_cast<size_t>(evaluations[0])]->Read(0);
    if (!first.ok()) continue;  // the evaluation counts it
    metric->AddFailure(*first);
    EvaluationResult result;
    result.task = judge.task();
    result.metrics = metric->Result();
    UNIVAL_RETURN_IF_ERROR(Annotate(MainMetric(result, validation.metric()).status(), run.plan.file,
                                    ": stage \"", stage.name(), "\": validation"));
  }
  return absl::OkStatus();
}

// Whether this goes on with a run that was checked and recorded when it began.
bool HasBegun(const Run& run) { return run.options.resume && IsThere(run.Path("run.json")); }

// A fresh run records what it is; a resumed one is compared with that record. The result is what
// stands in the record; nothing in a process that does not write it.
absl::StatusOr<absl::optional<RunIdentity>> CheckIdentity(const Run& run) {
  UNIVAL_ASSIGN_OR_RETURN(RunIdentity recorded, RecordedIdentity(run, HasBegun(run)));
  RunIdentity now;
  now.plan = PrintTextProto(run.plan.proto);
  now.base_sha256 = CombinedHash(run.before);
  UNIVAL_ASSIGN_OR_RETURN(now.sources, DataIdentities(run, recorded.sources));
  now.plan_file = PlanFileFrom(run.options.output, run.plan.file);
  UNIVAL_ASSIGN_OR_RETURN(now.parts, OtherParts(run));
  UNIVAL_RETURN_IF_ERROR(CheckSharedIdentity(run, now));
  if (!run.IsFirst()) return absl::optional<RunIdentity>();
  if (HasBegun(run)) {
    UNIVAL_RETURN_IF_ERROR(CheckSameRun(run, recorded, now));
    // Killed between the two files.
    if (!IsThere(run.Path("plan.textproto"))) {
      UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(run.Path("plan.textproto"), {recorded.plan}));
    }
    return absl::optional<RunIdentity>(std::move(recorded));
  }
  if (IsThere(run.Path("checkpoint")) || IsThere(run.Path("model"))) {
    return absl::FailedPreconditionError(
        absl::StrCat(run.options.output,
                     ": expected the record of a run, run.json, got a folder without it; choose "
                     "another folder"));
  }
  // The record first: it is what makes the folder a run, which --resume looks for.
  UNIVAL_RETURN_IF_ERROR(WriteRunIdentity(run.options.output, now));
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(run.Path("plan.textproto"), {now.plan}));
  return absl::optional<RunIdentity>(std::move(now));
}

// More steps are for the stage at work and those behind it. What was planned stays in the record.
absl::Status GoOnWithMoreSteps(Run* run, RunIdentity recorded) {
  UNIVAL_ASSIGN_OR_RETURN(const TrainingPlan before, PlanOf(recorded, run->options.output));
  bool has_more = false;
  for (int i = 0; i < before.stage_size(); ++i) {
    const int64_t was = before.stage(i).steps(), is = run->plan.proto.stage(i).steps();
    if (was == is) continue;
    if (i < run->state.stage) {
      return absl::FailedPreconditionError(
          absl::StrCat(run->options.output, ": cannot resume: stage[", i, "].steps: expected ", was,
                       ", as that stage has ended, got ", is,
                       "; more steps are for the stage at work and for those that follow it"));
    }
    has_more = true;
    run->printer.Say(absl::StrCat(
        "stage \"", run->plan.proto.stage(i).name(), "\": ", is, " steps instead of ", was,
        ", from step ", i == run->state.stage ? run->state.stage_step : 0,
        " of it on; what its schedule counts from its length is ", "counted from the new one"));
  }
  if (!has_more) return absl::OkStatus();
  recorded.earlier.push_back({run->state.step, recorded.plan});
  recorded.plan = PrintTextProto(run->plan.proto);
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(run->Path("plan.textproto"), {recorded.plan}));
  return WriteRunIdentity(run->options.output, recorded);
}

// With --steps, sources unlock where they did when the run began, not at the same share of the new
// number of steps.
void KeepUnlockSteps(const TrainingPlan& before, TrainingPlan* plan) {
  for (int i = 0; i < std::min(before.stage_size(), plan->stage_size()); ++i) {
    Stage* stage = plan->mutable_stage(i);
    for (int j = 0; j < std::min(before.stage(i).source_size(), stage->source_size()); ++j) {
      stage->mutable_source(j)->set_unlock_step(before.stage(i).source(j).unlock_step());
    }
  }
}

}  // namespace

absl::Status LoadRunPlan(Run* run) {
  const TrainOptions& options = run->options;
  if (options.plan != nullptr) {
    const fs::path parent = fs::path(options.plan_file).parent_path();
    run->plan.file = options.plan_file.empty() ? "plan" : options.plan_file;
    run->plan.directory = parent.empty() ? "." : parent.string();
    run->plan.data_root = options.data_root.empty() ? run->plan.directory : options.data_root;
    run->plan.proto = *options.plan;
  } else {
    UNIVAL_ASSIGN_OR_RETURN(run->plan, LoadPlan(options.plan_file, options.data_root));
  }
  ResolvePlan(options.overrides, &run->plan.proto);
  if (HasBegun(*run) && options.overrides.steps > 0) {
    UNIVAL_ASSIGN_OR_RETURN(const RunIdentity recorded, ReadRunIdentity(options.output));
    UNIVAL_ASSIGN_OR_RETURN(const TrainingPlan before, PlanOf(recorded, options.output));
    KeepUnlockSteps(before, &run->plan.proto);
  }
  UNIVAL_RETURN_IF_ERROR(CheckPlan(run->plan));
  return CheckPlugins(run->plan, run->runtime);
}

absl::Status BuildRun(Run* run) {
  UNIVAL_ASSIGN_OR_RETURN(BuiltModel built,
                          BuildModel(run->plan, run->runtime, run->options.device));
  run->model = std::move(built.model);
  run->fresh = std::move(built.fresh);
  run->parent_backbone_sha256 = std::move(built.parent_backbone_sha256);
  UNIVAL_ASSIGN_OR_RETURN(
      run->templates, LoadTemplateSets(TemplateFiles(run->plan), run->runtime.template_types()));
  AddTemplates(*run);
  UNIVAL_ASSIGN_OR_RETURN(run->pipeline, Pipeline::Create(run->model.get(), run->templates));
  return absl::OkStatus();
}

absl::Status PrepareRun(Run* run, std::map<std::string, at::Tensor>* optimizer_state) {
  UNIVAL_RETURN_IF_ERROR(LoadRunPlan(run));
  UNIVAL_RETURN_IF_ERROR(PrepareOutput(run));
  UNIVAL_RETURN_IF_ERROR(BuildRun(run));
  const bool has_begun = HasBegun(*run);
  UNIVAL_ASSIGN_OR_RETURN(run->data, OpenRunData(run->plan, *run->pipeline, *run->model,
                                                 /*is_checked=*/has_begun, IndexesOf(*run)));
  UNIVAL_RETURN_IF_ERROR(ResolveEpochs(run->data, &run->plan, run->Processes()));
  for (const std::string& warning : TaskWarnings(run->plan, run->templates, *run->model)) {
    run->printer.Warn(warning);
  }
  if (!has_begun && run->IsFirst()) WarnOfCutTargets(*run);
  UNIVAL_RETURN_IF_ERROR(CheckValidationMetrics(*run));
  // Before features are measured: a checkpoint then holds what was measured.
  for (const NamedTensor& entry : run->model->State()) {
    if (entry.is_buffer) run->initial_buffers[entry.name] = entry.tensor.clone();
  }
  UNIVAL_RETURN_IF_ERROR(MeasureFeatures(run->data, *run->model));
  run->before = HashState(*run->model, run->plan.proto.save_half());
  UNIVAL_ASSIGN_OR_RETURN(absl::optional<RunIdentity> recorded, CheckIdentity(*run));
  for (const std::string& warning : DataWarnings(run->data)) run->printer.Warn(warning);
  if (run->options.resume) UNIVAL_RETURN_IF_ERROR(Resume(run, recorded, optimizer_state));
  if (!recorded) return absl::OkStatus();
  run->state.run = RunKey(*recorded);
  UNIVAL_RETURN_IF_ERROR(GoOnWithMoreSteps(run, *std::move(recorded)));
  return run->log.Open(run->Path("log.jsonl"), run->state.step);
}

absl::Status SaveRun(const Run& run, const std::map<std::string, at::Tensor>& optimizer_state,
                     CheckpointKind kind) {
  std::map<std::string, at::Tensor> tensors;
  for (const NamedTensor& entry : run.model->State()) {
    const bool moved = entry.is_buffer
                           ? !at::equal(run.initial_buffers.at(entry.name), entry.tensor)
                           : run.state.trained.count(entry.name) > 0;
    if (moved) tensors[kModelPrefix + entry.name] = entry.tensor;
  }
  for (const auto& [name, tensor] : optimizer_state) tensors[kOptimizerPrefix + name] = tensor;
  if (kind == CheckpointKind::kBest) return SaveCheckpoint(run.Path("best"), run.state, tensors);
  return SaveCheckpoint(run.Path("checkpoint"), run.state, tensors, CheckpointsToKeep(run));
}

}  // namespace unival
