#include "training/run/run_state_json.h"

#include <algorithm>
#include <cmath>

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

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
  if (json.contains("run")) state->run = json.at("run");
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

}  // namespace

nlohmann::ordered_json RunStateToJson(const RunState& state) {
  return {{"format", kCheckpointFormat},
          {"run", state.run},
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

RunState RunStateFromJson(const nlohmann::ordered_json& json) {
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
  return state;
}

}  // namespace unival
