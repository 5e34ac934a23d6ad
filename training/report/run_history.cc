#include "training/report/run_history.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/beginning.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "training/config/plan.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::map<std::string, double> NumbersOf(const Json& json) {
  std::map<std::string, double> numbers;
  if (!json.is_object()) return numbers;
  for (const auto& [name, value] : json.items()) {
    if (value.is_number()) numbers[name] = value.get<double>();
    // The log writes null for a number that is not finite.
    if (value.is_null()) numbers[name] = std::numeric_limits<double>::quiet_NaN();
  }
  return numbers;
}

std::string TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& Member(const Json& json, const char* key) {
  static const Json* const kNone = new Json();
  const auto found = json.find(key);
  return found == json.end() ? *kNone : *found;
}

int64_t StepOf(const Json& json) {
  const Json& step = Member(json, "step");
  return step.is_number_integer() ? step.get<int64_t>() : 0;
}

StepPoint PointFrom(const Json& json) {
  StepPoint point;
  point.stage = TextOf(json, "stage");
  point.step = StepOf(json);
  point.values = NumbersOf(json);
  for (const auto& [source, loss] : NumbersOf(Member(json, "source_loss")))
    point.values["loss/" + source] = loss;
  for (const auto& [source, rows] : NumbersOf(Member(json, "source_rows")))
    point.values["rows/" + source] = rows;
  point.part_seconds = NumbersOf(Member(json, "part_seconds"));
  return point;
}

ValidationPoint ValidationFrom(const Json& json) {
  ValidationPoint point;
  point.stage = TextOf(json, "stage");
  point.evaluation = TextOf(json, "validation");
  point.step = StepOf(json);
  point.metrics = NumbersOf(Member(json, "metrics"));
  for (const Json& name : Member(json, "less_is_better")) {
    if (name.is_string()) point.less_is_better.insert(name.get<std::string>());
  }
  const Json& remarks = Member(json, "remarks");
  for (const auto& item : remarks.items()) {
    if (item.value().is_string()) point.remarks[item.key()] = item.value().get<std::string>();
  }
  point.judged_by = TextOf(json, "judged_by");
  const Json& best = Member(json, "is_best");
  point.is_best = best.is_boolean() && best.get<bool>();
  return point;
}

SkippedBatch SkippedFrom(const Json& json) {
  SkippedBatch batch;
  batch.step = StepOf(json);
  batch.what = TextOf(json, "skipped");
  for (const Json& record : Member(json, "records")) {
    if (record.is_string()) batch.records.push_back(record.get<std::string>());
  }
  return batch;
}

void AddLine(const Json& json, RunHistory* history) {
  if (json.contains("validation")) {
    history->validations.push_back(ValidationFrom(json));
  } else if (json.contains("skipped")) {
    history->skipped.push_back(SkippedFrom(json));
  } else if (json.contains("decode_failure")) {
    ++history->decode_failures;
  } else if (!json.contains("unlocked")) {
    history->steps.push_back(PointFrom(json));
  }
}

// All complete lines. What follows the last line end may be half of a line that is being written.
std::vector<std::string> WholeLines(const std::string& text) {
  const size_t end = text.rfind('\n');
  if (end == std::string::npos) return {};
  return absl::StrSplit(text.substr(0, end), '\n', absl::SkipEmpty());
}

absl::StatusOr<Json> ParseObject(const std::string& text, const std::string& place) {
  absl::StatusOr<Json> json = ParseJson<Json>(text);
  if (json.ok() && json->is_object()) return json;
  return InvalidArgument(place, ": expected a JSON object, got \"", BeginningOf(text, 80), "\"",
                         json.ok() ? "" : ": ", json.status().message());
}

void ReadResults(const std::string& run, RunHistory* history) {
  const auto text = ReadWholeFile(run + "/results.json");
  if (!text.ok()) return;
  const auto json = ParseObject(*text, run + "/results.json");
  if (!json.ok()) return;
  history->finished = true;
  for (const auto& [name, evaluation] : Member(*json, "evaluations").items()) {
    for (const auto& [metric, value] : NumbersOf(Member(evaluation, "metrics")))
      history->results[absl::StrCat(name, " ", metric)] = value;
  }
}

// The answers of one validation, the file of a step.
absl::Status AddAnswers(const std::string& file, int64_t step, int count,
                        std::vector<RecordOverTime>* records) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  int line = 0;
  for (const std::string& row : WholeLines(text)) {
    if (line++ == count) break;
    UNIVAL_ASSIGN_OR_RETURN(const Json json, ParseObject(row, absl::StrCat(file, ":", line)));
    const std::string key = TextOf(json, "key");
    auto record = std::find_if(records->begin(), records->end(),
                               [&](const RecordOverTime& known) { return known.key == key; });
    if (record == records->end()) {
      if (records->size() == static_cast<size_t>(count)) continue;
      records->push_back({key, "", {}});
      record = records->end() - 1;
    }
    const Json& references = Member(json, "references");
    if (references.is_array() && !references.empty() && references[0].is_string())
      record->reference = references[0].get<std::string>();
    ValidationAnswer& answer = record->answers[step];
    answer.is_error = json.contains("error");
    answer.text = TextOf(json, answer.is_error ? "error" : "text");
    const Json& score = Member(json, "score");
    if (score.is_number()) answer.score = score.get<double>();
  }
  return absl::OkStatus();
}

}  // namespace

double StepPoint::value(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

int64_t RunHistory::last_step() const {
  int64_t last = steps.empty() ? 0 : steps.back().step;
  for (const ValidationPoint& point : validations) last = std::max(last, point.step);
  return last;
}

absl::StatusOr<RunHistory> ReadRunHistory(const std::string& run) {
  RunHistory history;
  history.run = run;
  TrainingPlan plan;
  const std::string plan_file = run + "/plan.textproto", log_file = run + "/log.jsonl";
  UNIVAL_RETURN_IF_ERROR(
      Annotate(ReadTextProto(plan_file, &plan), run, ": not the output folder of a run"));
  history.plan = plan.name();
  for (const Stage& stage : plan.stage()) history.planned_steps += stage.steps();
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(log_file));
  int line = 0;
  for (const std::string& row : WholeLines(text)) {
    UNIVAL_ASSIGN_OR_RETURN(const Json json, ParseObject(row, absl::StrCat(log_file, ":", ++line)));
    AddLine(json, &history);
  }
  ReadResults(run, &history);
  return history;
}

absl::StatusOr<std::vector<RecordOverTime>> ReadValidationAnswers(const std::string& run,
                                                                  const std::string& evaluation,
                                                                  int count) {
  std::vector<std::pair<int64_t, std::string>> files;
  std::error_code error;
  for (fs::directory_iterator entry(absl::StrCat(run, "/validation/", evaluation), error), end;
       !error && entry != end; entry.increment(error)) {
    int64_t step = 0;
    if (absl::SimpleAtoi(entry->path().stem().string(), &step) &&
        entry->path().extension() == ".jsonl") {
      files.emplace_back(step, entry->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<RecordOverTime> records;
  for (const auto& [step, file] : files)
    UNIVAL_RETURN_IF_ERROR(AddAnswers(file, step, count, &records));
  return records;
}

}  // namespace unival
