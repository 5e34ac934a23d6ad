#include "training/run/export.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "sdk/native/catch_torch.h"
#include "training/run/run.h"
#include "training/run/run_folder.h"
#include "training/run/run_identity.h"
#include "training/run/validation.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

absl::Status CheckIsRun(const std::string& run) {
  if (IsThere(run + "/" + kRunFile)) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat(run, ": expected the output folder of a run, got one without ", kRunFile));
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const ExportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const CheckpointList there, ListCheckpoints(options.run));
  if (options.best) {
    if (there.best) return LoadCheckpointOf(options.run + "/best", *there.best);
    return absl::NotFoundError(absl::StrCat(
        options.run, ": there is no checkpoint of a best validation; set validation.keep_best in ",
        "the plan, or export a step"));
  }
  if (there.steps.empty()) {
    return absl::NotFoundError(absl::StrCat(
        options.run, ": there is no checkpoint yet; set checkpoint_every in the plan"));
  }
  const int64_t step = options.step ? static_cast<int64_t>(*options.step) : there.steps.back();
  // The best one may be the only one that is left of its step.
  if (there.best == step) return LoadCheckpointOf(options.run + "/best", step);
  return LoadCheckpointOf(options.run + "/checkpoint", step);
}

// The plan as recorded, in the folder that its paths are relative to.
absl::StatusOr<LoadedPlan> RecordedPlan(const ExportOptions& options, const RunIdentity& identity) {
  LoadedPlan plan;
  std::error_code error;
  std::string file = options.plan_file;
  if (file.empty() && !identity.plan_file.empty()) {
    const fs::path run = fs::weakly_canonical(options.run, error);
    file = (run / identity.plan_file).lexically_normal().string();
  }
  const std::string folder = fs::path(file).parent_path().string();
  if (file.empty() || !fs::is_directory(folder.empty() ? "." : folder, error)) {
    return absl::NotFoundError(absl::StrCat(
        options.run, ": the plan's folder, to which its paths are relative, is not where it was (",
        file.empty() ? "not recorded" : folder, "); say where the plan is with --plan"));
  }
  plan.file = file;
  plan.directory = folder.empty() ? "." : folder;
  plan.data_root = plan.directory;
  UNIVAL_ASSIGN_OR_RETURN(plan.proto, PlanOf(identity, options.run));
  return plan;
}

bool IsFeatureStatistic(const std::string& name) {
  return absl::EndsWith(name, ".feature_mean") || absl::EndsWith(name, ".feature_std");
}

// What the run measured before its first step belongs to where it began.
absl::Status RestoreMeasured(const Run& run, const Checkpoint& checkpoint) {
  std::map<std::string, at::Tensor> measured;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (absl::StartsWith(name, kModelPrefix) && IsFeatureStatistic(name)) measured[name] = tensor;
  }
  return RestoreModel(run, measured);
}

absl::Status CheckSameOrigin(const Run& run, const RunIdentity& recorded) {
  if (CombinedHash(run.before) != recorded.base_sha256) {
    return absl::FailedPreconditionError(
        absl::StrCat(run.options.output, ": model: expected tensors with hash ",
                     recorded.base_sha256, ", got ", CombinedHash(run.before),
                     "; the model that this run started from has changed: restore it"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto parts, OtherParts(run));
  for (const auto& [part, value] : parts) {
    if (part != "tokenizer" && !absl::StartsWith(part, "templates[")) continue;
    const auto was = recorded.parts.find(part);
    if (was != recorded.parts.end() && was->second == value) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(run.options.output, ": ", part, ": expected ",
                     was == recorded.parts.end() ? "(none)" : was->second, ", got ", value,
                     "; it has changed since the run began: restore it"));
  }
  return absl::OkStatus();
}

// A stage hands on the moving average.
void TakeAverage(const Run& run, const Checkpoint& checkpoint) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : run.model->State()) {
    const auto average =
        checkpoint.tensors.find(absl::StrCat(kOptimizerPrefix, kAveragePrefix, entry.name));
    if (average == checkpoint.tensors.end()) continue;
    at::Tensor target = entry.tensor;
    target.copy_(average->second);
  }
}

bool IsFinished(const Run& run) {
  const auto& stages = run.plan.proto.stage();
  const RunState& state = run.state;
  if (state.stage >= stages.size()) return true;
  const Stage& stage = stages[state.stage];
  return state.stage + 1 == stages.size() &&
         (state.stage_step >= stage.steps() || EndsByValidation(run, stage));
}

absl::StatusOr<ExportResult> WriteExport(const ExportOptions& options, Run* run) {
  ExportResult result;
  result.step = run->state.step;
  for (const Stage& stage : run->plan.proto.stage()) result.planned_steps += stage.steps();
  result.finished = IsFinished(*run);
  absl::optional<UnfinishedRun> unfinished;
  if (!result.finished) {
    unfinished = UnfinishedRun{run->state.stage + (run->state.stage_step > 0 ? 1 : 0), result.step,
                               result.planned_steps};
  }
  const bool half = run->plan.proto.save_half();
  const std::vector<TensorHash> after = HashState(*run->model, half);
  if (half)
    run->model->RoundToHalf();  // the hashes that adapters are bound by are those of what is
                                // stored
  UNIVAL_RETURN_IF_ERROR(SaveModel(*run, unfinished, options.output));
  const std::string folder = absl::StrCat(options.run, "/receipts/", result.step);
  UNIVAL_RETURN_IF_ERROR(MakeFolders(folder));
  const std::string plan = PrintTextProto(run->plan.proto);
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(folder + "/plan.textproto", {plan}));
  result.receipt_file = folder + "/receipt.json";
  UNIVAL_ASSIGN_OR_RETURN(const Receipt receipt,
                          WriteReceipt(*run, after, unfinished, result.receipt_file));
  result.trainable_scalars = receipt.trainable_scalars;
  return result;
}

absl::StatusOr<ExportResult> Export(const ExportOptions& options, Run* run) {
  UNIVAL_ASSIGN_OR_RETURN(const RunIdentity recorded, ReadRunIdentity(options.run));
  UNIVAL_ASSIGN_OR_RETURN(run->plan, RecordedPlan(options, recorded));
  UNIVAL_RETURN_IF_ERROR(CheckPlugins(run->plan, run->runtime));
  UNIVAL_ASSIGN_OR_RETURN(Checkpoint checkpoint, ReadCheckpoint(options));
  UNIVAL_RETURN_IF_ERROR(CheckRunKey(recorded, checkpoint.state, options.run));
  UNIVAL_RETURN_IF_ERROR(BuildRun(run));
  UNIVAL_RETURN_IF_ERROR(RestoreMeasured(*run, checkpoint));
  run->before = HashState(*run->model, run->plan.proto.save_half());
  UNIVAL_RETURN_IF_ERROR(CheckSameOrigin(*run, recorded));
  UNIVAL_RETURN_IF_ERROR(RestoreModel(*run, checkpoint.tensors));
  TakeAverage(*run, checkpoint);
  run->state = std::move(checkpoint.state);
  return WriteExport(options, run);
}

}  // namespace

absl::StatusOr<CheckpointList> ListCheckpoints(const std::string& run) {
  UNIVAL_RETURN_IF_ERROR(CheckIsRun(run));
  CheckpointList list;
  list.steps = CheckpointSteps(run + "/checkpoint");
  const std::vector<int64_t> best = CheckpointSteps(run + "/best");
  if (!best.empty()) list.best = best.back();
  return list;
}

absl::StatusOr<ExportResult> ExportCheckpoint(const ExportOptions& options,
                                              const Runtime& runtime) {
  UNIVAL_RETURN_IF_ERROR(CheckIsRun(options.run));
  UNIVAL_RETURN_IF_ERROR(CheckOwnFolders(options.run));
  if (options.output.empty() || IsThere(options.output)) {
    return absl::FailedPreconditionError(
        absl::StrCat("output: expected the name of a folder that is not there, got \"",
                     options.output, "\"; choose another one"));
  }
  TrainOptions train;
  train.output = options.run;
  Run run(train, runtime);
  return CatchTorch("export", [&] { return Export(options, &run); });
}

}  // namespace unival
