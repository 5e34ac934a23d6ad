#include "examples/quickstart/run_results.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "examples/quickstart/plan_variants.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival::quickstart {
namespace {

using nlohmann::json;

absl::optional<double> MetricOf(const json& summary, const char* evaluation, const char* metric) {
  const json metrics =
      summary.value("evaluations", json::object()).value(evaluation, json::object());
  if (!metrics.contains(metric)) return absl::nullopt;
  return metrics[metric].get<double>();
}

// Lines without a loss are notes of other kinds.
std::vector<std::pair<double, double>> LossCurve(const std::string& log) {
  std::vector<std::pair<double, double>> curve;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const absl::StatusOr<json> record = ParseJson(line);
    if (!record.ok() || !record->is_object()) continue;
    const auto loss = record->find("loss");
    if (loss == record->end() || !loss->is_number()) continue;
    curve.emplace_back(record->value("step", 0.0), loss->get<double>());
  }
  return curve;
}

}  // namespace

absl::StatusOr<report::RunSummary> ReadRun(const std::string& summary_file,
                                           const std::string& log_file) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(summary_file));
  UNIVAL_ASSIGN_OR_RETURN(const std::string log, ReadWholeFile(log_file));
  UNIVAL_ASSIGN_OR_RETURN(const json summary, Annotate(ParseJson(text), summary_file));
  if (!summary.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(summary_file, ": expected the JSON of `unival train --json`"));
  }
  report::RunSummary run;
  run.trainable_parameters = summary.value("trainable_parameters", int64_t{0});
  run.seconds = summary.value("seconds", 0.0);
  run.steps_per_second = summary.value("steps_per_second", 0.0);
  run.peak_memory_mb = summary.value("peak_memory_mb", 0.0);
  run.caption_seen = MetricOf(summary, kCaptionSeen, "exact_match");
  run.caption_held_out = MetricOf(summary, kCaptionHeldOut, "exact_match");
  run.answers = MetricOf(summary, kAnswers, "accuracy");
  run.box_iou = MetricOf(summary, kBoxes, "mean_iou");
  run.loss = LossCurve(log);
  return run;
}

}  // namespace unival::quickstart
