#include "training/evaluation/result_lines.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "runtime/prediction_json.h"
#include "sdk/base/json_text.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

void AddReferences(const Task& task, const TaskSample& sample, Json* line) {
  const absl::StatusOr<References> references = task.ReferencesOf(sample);
  if (!references.ok()) return;  // the metric has said so, or the task does not say what is right
  (*line)["references"] = references->texts;
  if (references->box) (*line)["reference_box"] = *references->box;
}

void AddColumns(const TaskSample& sample, Json* line) {
  if (const std::string* kind = TextColumn(sample, kKindColumn)) (*line)[kKindColumn] = *kind;
  if (const auto group = GroupOf(sample)) (*line)[kGroupColumn] = *group;
  const auto objects = sample.fields.find(kObjectsColumn);
  if (objects == sample.fields.end()) return;
  if (const auto* list = std::get_if<std::vector<std::string>>(&objects->second))
    (*line)[kObjectsColumn] = *list;
}

}  // namespace

struct ResultLines::Lines {
  std::vector<Json> lines;
  std::vector<double> scores;  // log-probabilities, NaN for failures
};

ResultLines::ResultLines(const Task& task) : task_(task), lines_(std::make_unique<Lines>()) {}
ResultLines::~ResultLines() = default;

void ResultLines::Add(const TaskSample& sample, const absl::StatusOr<Prediction>& answer) {
  Json line = {{"key", sample.key}};
  if (answer.ok()) {
    AddPrediction(*answer, &line);
  } else {
    line["error"] = std::string(answer.status().message());
  }
  lines_->scores.push_back(answer.ok() ? answer->score : std::nan(""));
  AddReferences(task_, sample, &line);
  AddColumns(sample, &line);
  lines_->lines.push_back(std::move(line));
}

std::string ResultLines::Text(const Metric& metric) const {
  SampleValues values;
  if (const ScoredMetric* scored = AsScored(&metric)) values = scored->PerSample();
  std::string text;
  for (size_t i = 0; i < lines_->lines.size(); ++i) {
    Json line = lines_->lines[i];
    for (const auto& [name, own] : values) {
      if (i < own.size() && !std::isnan(own[i])) line["scores"][name] = own[i];
    }
    text += JsonText(line) + "\n";
  }
  return text;
}

absl::optional<Calibration> ResultLines::CalibrationOf(const Metric& metric,
                                                       const TaskScores& scores) const {
  const ScoredMetric* scored = AsScored(&metric);
  if (scored == nullptr) return absl::nullopt;
  const SampleValues values = scored->PerSample();
  const std::string name = scores.Main(values, /*shares=*/true);
  const std::vector<double>* right = name.empty() ? nullptr : &values.at(name);
  std::vector<double> confidences, known;
  bool any_score = false;
  for (size_t i = 0; right != nullptr && i < lines_->scores.size() && i < right->size(); ++i) {
    if (std::isnan(lines_->scores[i])) continue;
    any_score |= lines_->scores[i] != 0;
    confidences.push_back(std::clamp(std::exp(lines_->scores[i]), 0.0, 1.0));
    known.push_back((*right)[i]);
  }
  if (!any_score) return absl::nullopt;
  return Calibrate(confidences, known);
}

}  // namespace unival
