#include "training/run/checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "backbone/storage/safetensors.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "training/run/run_state_json.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kStateFile[] = "state.json", kTensorFile[] = "tensors.safetensors";
constexpr char kHalfWritten[] = ".tmp";
constexpr char kStateHash[] = "state_sha256", kTensorHash[] = "tensors_sha256";

// Hash of everything that the state says, its own hash aside.
std::string StateHash(Json json) {
  json.erase(kStateHash);
  return Sha256Hex(JsonText(json));
}

absl::Status Damaged(const std::string& file, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(file, ": damaged checkpoint: ", what,
                                          "; restore the file, or remove the folder checkpoint "
                                          "and start the run anew"));
}

// Checkpoints of before the hashes were introduced have none.
absl::Status CheckHashes(const Json& json, const std::string& folder) {
  const std::string state_file = folder + "/" + kStateFile,
                    tensor_file = folder + "/" + kTensorFile;
  if (json.contains(kStateHash) && json.at(kStateHash) != StateHash(json)) {
    return Damaged(state_file, absl::StrCat("its content has sha256 ", StateHash(json),
                                            ", it says ", json.at(kStateHash).dump()));
  }
  if (!json.contains(kTensorHash)) return absl::OkStatus();
  // Both came together: a state without its own hash has lost it.
  if (!json.contains(kStateHash)) {
    return Damaged(state_file, absl::StrCat(kStateHash, " is not there"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::string hash, Sha256HexOfFile(tensor_file));
  if (json.at(kTensorHash) == hash) return absl::OkStatus();
  return Damaged(tensor_file, absl::StrCat("sha256 is ", hash, ", ", kStateFile, " says ",
                                           json.at(kTensorHash).dump()));
}

// Counts are never below zero, whatever the plan is.
absl::Status CheckCounts(const RunState& state, const std::string& file) {
  const std::pair<const char*, int64_t> counts[] = {
      {"stage", state.stage},
      {"stage_step", state.stage_step},
      {"step", state.step},
      {"window.batches", state.window.batches},
      {"window.tokens", state.window.tokens},
      {"window.correct", state.window.correct},
      {"totals.rows", state.totals.rows},
      {"totals.tokens", state.totals.tokens},
      {"totals.decode_failures", state.totals.decode_failures},
      {"totals.encoder_calls", state.totals.encoder_calls},
      {"totals.cache_hits", state.totals.cache_hits},
      {"totals.skipped", state.totals.skipped},
      {"validation.worse", state.validation.worse}};
  for (const auto& [field, count] : counts) {
    if (count < 0) return Damaged(file, absl::StrCat(field, ": expected 0 or more, got ", count));
  }
  return absl::OkStatus();
}

absl::StatusOr<RunState> FromJson(const std::string& text, const std::string& folder) {
  const std::string file = folder + "/" + kStateFile;
  const auto damaged = [&file](absl::string_view why) { return Damaged(file, why); };
  const absl::StatusOr<Json> parsed = ParseJson<Json>(text);
  if (!parsed.ok()) return damaged(parsed.status().message());
  const auto read = [&, &json = *parsed]() -> absl::StatusOr<RunState> {
    UNIVAL_RETURN_IF_ERROR(CheckHashes(json, folder));
    if (json.at("format") != kCheckpointFormat) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": format: expected ", kCheckpointFormat,
                                                     ", got ", json.at("format").dump()));
    }
    const RunState state = RunStateFromJson(json);
    UNIVAL_RETURN_IF_ERROR(CheckCounts(state, file));
    return state;
  };
  return CatchJson(read, damaged);
}

std::string NameOf(int64_t step) { return absl::StrFormat("%09d", step); }

// The step of a checkpoint's name; nothing for other names.
absl::optional<int64_t> StepOf(absl::string_view name) {
  int64_t step = 0;
  if (!absl::SimpleAtoi(name, &step) || NameOf(step) != name) return absl::nullopt;
  return step;
}

// The steps of all folders that have a checkpoint's name, in order.
std::vector<int64_t> Complete(const std::string& directory) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const auto step = StepOf(entry->path().filename().string());
    if (entry->is_directory(ignored) && step) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

absl::StatusOr<Checkpoint> LoadFrom(const std::string& directory, int64_t step) {
  const std::string folder = absl::StrCat(directory, "/", NameOf(step));
  Checkpoint checkpoint;
  UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(folder + "/" + kStateFile));
  UNIVAL_ASSIGN_OR_RETURN(checkpoint.state, FromJson(text, folder));
  if (checkpoint.state.step != step) {
    return Damaged(absl::StrCat(folder, "/", kStateFile),
                   absl::StrCat("step: expected ", step, ", as its folder is called, got ",
                                checkpoint.state.step));
  }
  UNIVAL_ASSIGN_OR_RETURN(checkpoint.tensors, ReadSafetensors(folder + "/" + kTensorFile));
  return checkpoint;
}

// Whether a run has left it: a checkpoint, or one that was half-written when the run was killed.
bool IsOfRun(absl::string_view name) {
  absl::ConsumeSuffix(&name, kHalfWritten);
  return StepOf(name).has_value();
}

// Of what runs leave, everything but the newest `keep` checkpoints.
void RemoveOthers(const std::string& directory, int keep) {
  std::vector<int64_t> kept = Complete(directory);
  const size_t count = static_cast<size_t>(std::max(1, keep));
  if (kept.size() > count) kept.erase(kept.begin(), kept.end() - static_cast<int64_t>(count));
  std::vector<fs::path> others;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    const auto step = StepOf(name);
    const bool stays = step && std::find(kept.begin(), kept.end(), *step) != kept.end();
    if (IsOfRun(name) && !stays) others.push_back(entry.path());
  }
  for (const fs::path& path : others) fs::remove_all(path, error);
}

}  // namespace

absl::Status SaveCheckpoint(const std::string& directory, const RunState& state,
                            const std::map<std::string, at::Tensor>& tensors, int keep) {
  const std::string target = absl::StrCat(directory, "/", NameOf(state.step));
  const std::string temporary = target + kHalfWritten;
  // A stage that ends on a multiple of checkpoint_every saves the same step twice. A folder has its
  // final name only when it is complete, and the state after a step is always the same, so the one
  // that is there is kept.
  if (IsThere(target)) {
    RemoveOthers(directory, keep);
    return absl::OkStatus();
  }
  std::error_code error;
  fs::remove_all(temporary, error);
  UNIVAL_RETURN_IF_ERROR(MakeFolders(temporary));
  UNIVAL_RETURN_IF_ERROR(WriteSafetensors(temporary + "/" + kTensorFile, tensors));
  Json json = RunStateToJson(state);
  UNIVAL_ASSIGN_OR_RETURN(json[kTensorHash], Sha256HexOfFile(temporary + "/" + kTensorFile));
  json[kStateHash] = StateHash(json);
  const std::string text = JsonText(json, 1) + "\n";
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(temporary + "/" + kStateFile, {text}));
  fs::rename(temporary, target, error);
  if (error) return SystemError(target, "cannot be renamed", error.value());
  UNIVAL_RETURN_IF_ERROR(SyncDirectory(directory));
  RemoveOthers(directory, keep);
  return absl::OkStatus();
}

absl::StatusOr<absl::optional<Checkpoint>> LoadCheckpoint(const std::string& directory) {
  const std::vector<int64_t> steps = Complete(directory);
  if (steps.empty()) return absl::optional<Checkpoint>();
  UNIVAL_ASSIGN_OR_RETURN(Checkpoint newest, LoadFrom(directory, steps.back()));
  return absl::optional<Checkpoint>(std::move(newest));
}

absl::StatusOr<Checkpoint> LoadCheckpointOf(const std::string& directory, int64_t step) {
  const std::vector<int64_t> steps = CheckpointSteps(directory);
  if (std::find(steps.begin(), steps.end(), step) != steps.end()) return LoadFrom(directory, step);
  return absl::NotFoundError(absl::StrCat(directory, ": there is no checkpoint of step ", step,
                                          "; there are: ", absl::StrJoin(steps, ", ")));
}

std::vector<int64_t> CheckpointSteps(const std::string& directory) { return Complete(directory); }

void RemoveEarlierCheckpoints(const std::string& directory, int keep) {
  if (!Complete(directory).empty()) RemoveOthers(directory, keep);
}

}  // namespace unival
