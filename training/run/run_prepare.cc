#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/files.h"
#include "sdk/base/json_depth.h"
#include "sdk/base/json_text.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_set.h"
#include "training/run/answer_length_check.h"
#include "training/run/feature_statistics.h"
#include "training/run/record_sweep.h"
#include "training/run/run.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kRunFormat[] = "unival-run/1";
constexpr char kModelPrefix[] = "model.";
constexpr char kOptimizerPrefix[] = "optimizer.";

// What a run may not change when it is resumed.
struct Identity {
  std::string plan;  // as text
  std::string base_sha256;
  std::map<std::string, std::string> sources;
  // Whatever else the weights depend on: "threads", "tokenizer", "templates[0]", "plugin.depth".
  std::map<std::string, std::string> parts;
};

std::string ToJson(const Identity& identity) {
  const Json json = {{"format", kRunFormat},
                     {"base_sha256", identity.base_sha256},
                     {"sources", identity.sources},
                     {"parts", identity.parts},
                     {"plan", identity.plan}};
  return JsonText(json, 1) + "\n";
}

absl::StatusOr<Identity> ReadIdentity(const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(file));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckJsonDepth(text), file, ": not the record of a run"));
  try {
    const Json json = Json::parse(text);
    Identity identity;
    identity.plan = json.at("plan");
    identity.base_sha256 = json.at("base_sha256");
    identity.sources = json.at("sources").get<std::map<std::string, std::string>>();
    identity.parts = json.at("parts").get<std::map<std::string, std::string>>();
    return identity;
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": not the record of a run: ", error.what()));
  }
}

absl::Status CheckSameRun(const Run& run, const Identity& recorded, const Identity& now) {
  TrainingPlan plan;
  UNIVAL_RETURN_IF_ERROR(ParseTextProto(recorded.plan, run.Path("run.json"), &plan));
  UNIVAL_RETURN_IF_ERROR(
      Annotate(CheckSamePlan(plan, run.plan.proto), run.options.output, ": cannot resume"));
  if (recorded.base_sha256 != now.base_sha256) {
    return absl::FailedPreconditionError(absl::StrCat(
        run.options.output, ": cannot resume: model: expected tensors with hash ",
        recorded.base_sha256, ", got ", now.base_sha256,
        "; the model that this run started from has changed: restore it or start anew"));
  }
  for (const auto& [field, fingerprint] : now.sources) {
    auto was = recorded.sources.find(field);
    if (was != recorded.sources.end() && was->second == fingerprint) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        run.options.output, ": cannot resume: ", field, ".path: expected data with fingerprint ",
        was == recorded.sources.end() ? "(none)" : was->second, ", got ", fingerprint,
        "; the data has changed since the run began: restore it or start anew in another folder"));
  }
  for (const auto& [part, value] : now.parts) {
    auto was = recorded.parts.find(part);
    if (was != recorded.parts.end() && was->second == value) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(run.options.output, ": cannot resume: ", part, ": expected ",
                     was == recorded.parts.end() ? "(none)" : was->second, ", got ", value,
                     "; the weights would differ: restore it or start anew in another folder"));
  }
  return absl::OkStatus();
}

// Plan and starting weights have hashes of their own.
absl::StatusOr<std::map<std::string, std::string>> OtherParts(const Run& run) {
  std::map<std::string, std::string> parts;
  parts["threads"] = absl::StrCat(run.runtime.threads());
  for (size_t i = 0; i < run.templates.size(); ++i) {
    parts[absl::StrCat("templates[", i, "]")] = TemplateSetHash(*run.templates[i]);
  }
  const std::string tokenizer =
      run.plan.proto.has_fresh_model()
          ? JoinPath(run.plan.directory, run.plan.proto.tokenizer_directory())
          : JoinPath(JoinPath(run.plan.directory, run.plan.proto.model()),
                     run.model->manifest().tokenizer().directory());
  UNIVAL_ASSIGN_OR_RETURN(parts["tokenizer"], Sha256OfPath(tokenizer));
  for (const PluginReport& plugin : run.runtime.plugins()) {
    if (!plugin.status.ok()) continue;
    UNIVAL_ASSIGN_OR_RETURN(parts["plugin." + plugin.id], Sha256HexOfFile(plugin.file));
  }
  return parts;
}

absl::Status PrepareOutput(Run* run) {
  const std::string& output = run->options.output;
  if (output.empty()) return absl::InvalidArgumentError("output: expected a folder, got nothing");
  std::error_code error;
  if (!fs::is_directory(output, error)) UNIVAL_RETURN_IF_ERROR(MakeFolders(output));
  UNIVAL_ASSIGN_OR_RETURN(run->lock, FolderLock::Take(output));
  const bool empty = fs::is_empty(output, error);
  if (empty || run->options.resume) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      output,
      ": expected an empty or absent folder, got one with files; go on with that run by "
      "--resume, or choose another output folder"));
}

// Stores the plan's template sets with the model, complete by themselves.
void AddTemplates(const Run& run) {
  for (const SharedTemplateSet& set : run.templates) {
    run.model->AddTemplates(fs::path(set->file).filename().string(), set);
  }
}

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

// Where a run stands must be a place of its plan.
absl::Status CheckPlace(const Run& run, const RunState& state) {
  const auto& stages = run.plan.proto.stage();
  int64_t before = 0;
  for (int i = 0; i < std::min(state.stage, stages.size()); ++i) before += stages[i].steps();
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

absl::Status Resume(Run* run, std::map<std::string, at::Tensor>* optimizer_state) {
  UNIVAL_ASSIGN_OR_RETURN(absl::optional<Checkpoint> checkpoint,
                          LoadCheckpoint(run->Path("checkpoint")));
  if (!checkpoint) return absl::OkStatus();
  UNIVAL_RETURN_IF_ERROR(CheckPlace(*run, checkpoint->state));
  UNIVAL_RETURN_IF_ERROR(RestoreModel(*run, checkpoint->tensors));
  for (const auto& [full, tensor] : checkpoint->tensors) {
    absl::string_view name = full;
    if (absl::ConsumePrefix(&name, kOptimizerPrefix))
      (*optimizer_state)[std::string(name)] = tensor.clone();
  }
  run->state = std::move(checkpoint->state);
  RemoveEarlierCheckpoints(run->Path("checkpoint"));
  return absl::OkStatus();
}

// Whether this goes on with a run that was checked and recorded when it began.
bool HasBegun(const Run& run) {
  std::error_code error;
  return run.options.resume && fs::exists(run.Path("run.json"), error);
}

// A fresh run records what it is; a resumed one is compared with that record.
absl::Status CheckIdentity(const Run& run) {
  Identity now{PrintTextProto(run.plan.proto), CombinedHash(run.before), run.data.fingerprints, {}};
  UNIVAL_ASSIGN_OR_RETURN(now.parts, OtherParts(run));
  const std::string file = run.Path("run.json");
  if (HasBegun(run)) {
    UNIVAL_ASSIGN_OR_RETURN(Identity recorded, ReadIdentity(file));
    return CheckSameRun(run, recorded, now);
  }
  std::error_code error;
  if (fs::exists(run.Path("checkpoint"), error) || fs::exists(run.Path("model"), error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(run.options.output,
                     ": expected the record of a run, run.json, got a folder without it; choose "
                     "another folder"));
  }
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(run.Path("plan.textproto"), {now.plan}));
  const std::string json = ToJson(now);
  return WriteFileAtomically(file, {json});
}

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
  UNIVAL_RETURN_IF_ERROR(CheckPlan(run->plan));
  return CheckPlugins(run->plan, run->runtime);
}

}  // namespace

absl::Status PrepareRun(Run* run, std::map<std::string, at::Tensor>* optimizer_state) {
  UNIVAL_RETURN_IF_ERROR(LoadRunPlan(run));
  UNIVAL_RETURN_IF_ERROR(PrepareOutput(run));
  UNIVAL_ASSIGN_OR_RETURN(BuiltModel built,
                          BuildModel(run->plan, run->runtime, run->options.device));
  run->model = std::move(built.model);
  run->fresh = std::move(built.fresh);
  run->parent_backbone_sha256 = std::move(built.parent_backbone_sha256);
  UNIVAL_ASSIGN_OR_RETURN(
      run->templates, LoadTemplateSets(TemplateFiles(run->plan), run->runtime.template_types()));
  AddTemplates(*run);
  UNIVAL_ASSIGN_OR_RETURN(run->pipeline, Pipeline::Create(run->model.get(), run->templates));
  const bool has_begun = HasBegun(*run);
  UNIVAL_ASSIGN_OR_RETURN(run->data, OpenRunData(run->plan, *run->pipeline, *run->model,
                                                 /*is_checked=*/has_begun));
  for (const std::string& warning : TaskWarnings(run->plan, run->templates, *run->model)) {
    run->printer.Say(absl::StrCat("warning: ", warning));
  }
  if (!has_begun) WarnOfCutTargets(*run);
  UNIVAL_RETURN_IF_ERROR(MeasureFeatures(run->data, *run->model));
  run->before = HashState(*run->model, run->plan.proto.save_half());
  for (const NamedTensor& entry : run->model->State()) {
    if (entry.is_buffer) run->initial_buffers[entry.name] = entry.tensor.clone();
  }
  UNIVAL_RETURN_IF_ERROR(CheckIdentity(*run));
  if (run->options.resume) UNIVAL_RETURN_IF_ERROR(Resume(run, optimizer_state));
  return run->log.Open(run->Path("log.jsonl"), run->state.step);
}

absl::Status SaveRun(const Run& run, const std::map<std::string, at::Tensor>& optimizer_state) {
  std::map<std::string, at::Tensor> tensors;
  for (const NamedTensor& entry : run.model->State()) {
    const bool moved = entry.is_buffer
                           ? !at::equal(run.initial_buffers.at(entry.name), entry.tensor)
                           : run.state.trained.count(entry.name) > 0;
    if (moved) tensors[kModelPrefix + entry.name] = entry.tensor;
  }
  for (const auto& [name, tensor] : optimizer_state) tensors[kOptimizerPrefix + name] = tensor;
  return SaveCheckpoint(run.Path("checkpoint"), run.state, tensors);
}

}  // namespace unival
