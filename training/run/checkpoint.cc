#include "training/run/checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/safetensors.h"
#include "sdk/base/files.h"
#include "sdk/base/json_depth.h"
#include "sdk/base/json_text.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "unival-checkpoint/1";
constexpr char kStateFile[] = "state.json", kTensorFile[] = "tensors.safetensors";
constexpr char kStateHash[] = "state_sha256", kTensorHash[] = "tensors_sha256";

Json ToJson(const RunState& state) {
  return {{"format", kFormat},
          {"stage", state.stage},
          {"stage_step", state.stage_step},
          {"step", state.step},
          {"sampler", state.sampler},
          {"last_loss", state.last_loss},
          {"trained", state.trained},
          {"finished", state.finished},
          {"ends", state.ends},
          {"unlocked", state.unlocked},
          {"validation",
           {{"judge", state.validation.judge},
            {"any", state.validation.any},
            {"last", state.validation.last},
            {"best", state.validation.best},
            {"best_step", state.validation.best_step},
            {"worse", state.validation.worse}}},
          {"window",
           {{"loss", state.window.loss},
            {"batches", state.window.batches},
            {"tokens", state.window.tokens},
            {"correct", state.window.correct},
            {"seconds", state.window.seconds},
            {"part_seconds", state.window.part_seconds},
            {"by_source", state.window.by_source}}},
          {"totals",
           {{"rows", state.totals.rows},
            {"tokens", state.totals.tokens},
            {"decode_failures", state.totals.decode_failures},
            {"encoder_calls", state.totals.encoder_calls},
            {"cache_hits", state.totals.cache_hits},
            {"seconds", state.totals.seconds},
            {"source_rows", state.totals.source_rows},
            {"skipped", state.totals.skipped}}}};
}

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

constexpr int64_t kMostStages = 1000000;  // far beyond any plan: more is none of its places

// The library would round a fraction, or what no integer holds; here that is an error of the type.
int64_t Whole(const Json& json, const char* key) {
  return json.at(key).get_ref<const Json::number_integer_t&>();
}

int64_t WholeOf(const Json& json) { return json.get_ref<const Json::number_integer_t&>(); }

LogWindow WindowFromJson(const Json& json) {
  LogWindow window;
  window.loss = json.at("loss").is_number() ? json.at("loss").get<double>() : 0;
  window.batches = Whole(json, "batches");
  window.tokens = Whole(json, "tokens");
  window.correct = Whole(json, "correct");
  window.seconds = json.at("seconds");
  window.by_source = json.at("by_source").get<decltype(window.by_source)>();
  return window;
}

// JSON has no infinite number and none that is not a number: null stands for them.
double NumberOrNan(const Json& json) {
  return json.is_number() ? json.get<double>() : std::nan("");
}

ValidationState ValidationFromJson(const Json& json) {
  ValidationState validation;
  validation.judge = json.at("judge");
  validation.any = json.at("any");
  validation.last = NumberOrNan(json.at("last"));
  validation.best = NumberOrNan(json.at("best"));
  validation.best_step = Whole(json, "best_step");
  validation.worse = Whole(json, "worse");
  return validation;
}

// What checkpoints of before do not have.
void ReadLaterFields(const Json& json, RunState* state) {
  const Json& totals = json.at("totals");
  if (totals.contains("skipped")) state->totals.skipped = Whole(totals, "skipped");
  const Json source_rows = totals.value("source_rows", Json::object());
  for (const auto& [stage, rows] : source_rows.items()) {
    for (const auto& [source, count] : rows.items())
      state->totals.source_rows[stage][source] = WholeOf(count);
  }
  if (json.contains("window") && json.at("window").contains("part_seconds")) {
    state->window.part_seconds =
        json.at("window").at("part_seconds").get<std::map<std::string, double>>();
  }
  for (const Json& steps : json.value("finished", Json::array()))
    state->finished.push_back(WholeOf(steps));
  const Json unlocked = json.value("unlocked", Json::object());
  for (const auto& [source, step] : unlocked.items()) state->unlocked[source] = WholeOf(step);
  if (json.contains("ends")) state->ends = json.at("ends").get<std::vector<std::string>>();
  if (json.contains("validation")) state->validation = ValidationFromJson(json.at("validation"));
}

absl::StatusOr<RunState> FromJson(const std::string& text, const std::string& folder) {
  const std::string file = folder + "/" + kStateFile;
  const absl::Status shallow = CheckJsonDepth(text);
  if (!shallow.ok()) return Damaged(file, shallow.message());
  try {
    const Json json = Json::parse(text);
    UNIVAL_RETURN_IF_ERROR(CheckHashes(json, folder));
    if (json.at("format") != kFormat) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": format: expected ", kFormat, ", got ", json.at("format").dump()));
    }
    RunState state;
    state.stage = static_cast<int>(std::min(Whole(json, "stage"), kMostStages));
    state.stage_step = Whole(json, "stage_step");
    state.step = Whole(json, "step");
    state.sampler = json.at("sampler");
    state.last_loss = json.at("last_loss").is_number() ? json.at("last_loss").get<double>() : 0;
    state.trained = json.at("trained").get<std::set<std::string>>();
    // Checkpoints of before have none: their first record after a resumption covers fewer steps.
    if (json.contains("window")) state.window = WindowFromJson(json.at("window"));
    const Json& totals = json.at("totals");
    state.totals.rows = Whole(totals, "rows");
    state.totals.tokens = Whole(totals, "tokens");
    state.totals.decode_failures = Whole(totals, "decode_failures");
    state.totals.encoder_calls = Whole(totals, "encoder_calls");
    state.totals.cache_hits = Whole(totals, "cache_hits");
    state.totals.seconds = totals.at("seconds");
    ReadLaterFields(json, &state);
    UNIVAL_RETURN_IF_ERROR(CheckCounts(state, file));
    return state;
  } catch (const nlohmann::json::exception& error) {
    return Damaged(file, error.what());
  }
}

// Complete checkpoints, newest last: folders whose name is a number.
std::vector<std::string> Complete(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    int64_t step = 0;
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    if (entry->is_directory(ignored) && absl::SimpleAtoi(name, &step)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string NameOf(int64_t step) { return absl::StrFormat("%09d", step); }

absl::StatusOr<Checkpoint> LoadFrom(const std::string& folder) {
  Checkpoint checkpoint;
  UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(folder + "/" + kStateFile));
  UNIVAL_ASSIGN_OR_RETURN(checkpoint.state, FromJson(text, folder));
  UNIVAL_ASSIGN_OR_RETURN(checkpoint.tensors, ReadSafetensors(folder + "/" + kTensorFile));
  return checkpoint;
}

// Everything but the newest `keep` checkpoints: earlier ones and what a killed run left
// half-written.
void RemoveOthers(const std::string& directory, int keep) {
  std::vector<std::string> kept = Complete(directory);
  const size_t count = static_cast<size_t>(std::max(1, keep));
  if (kept.size() > count) kept.erase(kept.begin(), kept.end() - static_cast<int64_t>(count));
  std::vector<fs::path> others;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (std::find(kept.begin(), kept.end(), name) == kept.end()) others.push_back(entry.path());
  }
  for (const fs::path& path : others) fs::remove_all(path, error);
}

}  // namespace

absl::Status SaveCheckpoint(const std::string& directory, const RunState& state,
                            const std::map<std::string, at::Tensor>& tensors, int keep) {
  const std::string name = NameOf(state.step);
  const std::string target = absl::StrCat(directory, "/", name);
  const std::string temporary = target + ".tmp";
  std::error_code error;
  // A stage that ends on a multiple of checkpoint_every saves the same step twice. A folder has its
  // final name only when it is complete, and the state after a step is always the same, so the one
  // that is there is kept.
  if (fs::exists(target, error)) {
    RemoveOthers(directory, keep);
    return absl::OkStatus();
  }
  fs::remove_all(temporary, error);
  UNIVAL_RETURN_IF_ERROR(MakeFolders(temporary));
  UNIVAL_RETURN_IF_ERROR(WriteSafetensors(temporary + "/" + kTensorFile, tensors));
  Json json = ToJson(state);
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
  const std::vector<std::string> names = Complete(directory);
  if (names.empty()) return absl::optional<Checkpoint>();
  UNIVAL_ASSIGN_OR_RETURN(Checkpoint newest, LoadFrom(absl::StrCat(directory, "/", names.back())));
  return absl::optional<Checkpoint>(std::move(newest));
}

absl::StatusOr<Checkpoint> LoadCheckpointOf(const std::string& directory, int64_t step) {
  const std::vector<int64_t> steps = CheckpointSteps(directory);
  if (std::find(steps.begin(), steps.end(), step) != steps.end()) {
    return LoadFrom(absl::StrCat(directory, "/", NameOf(step)));
  }
  return absl::NotFoundError(absl::StrCat(directory, ": there is no checkpoint of step ", step,
                                          "; there are: ", absl::StrJoin(steps, ", ")));
}

std::vector<int64_t> CheckpointSteps(const std::string& directory) {
  std::vector<int64_t> steps;
  for (const std::string& name : Complete(directory)) {
    int64_t step = 0;
    if (absl::SimpleAtoi(name, &step)) steps.push_back(step);
  }
  return steps;
}

void RemoveEarlierCheckpoints(const std::string& directory, int keep) {
  if (!Complete(directory).empty()) RemoveOthers(directory, keep);
}

}  // namespace unival
