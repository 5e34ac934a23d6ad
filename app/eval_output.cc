#include "app/eval_output.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "app/score_table.h"
#include "sdk/base/json_text.h"

namespace unival {
namespace {

nlohmann::ordered_json CalibrationJson(const Calibration& calibration) {
  nlohmann::ordered_json json = {{"expected_error", calibration.expected_error}};
  for (const ConfidenceBin& bin : calibration.bins) {
    json["bins"].push_back({{"low", bin.low},
                            {"high", bin.high},
                            {"confidence", bin.confidence},
                            {"right", bin.right},
                            {"count", bin.count}});
  }
  for (const Abstention& one : calibration.abstentions) {
    json["abstention"].push_back(
        {{"threshold", one.threshold}, {"coverage", one.coverage}, {"right", one.right}});
  }
  return json;
}

void AddIntervals(const EvaluationOutput& output, nlohmann::ordered_json* json) {
  const EvaluationResult& result = *output.result;
  if (result.intervals.empty()) return;
  nlohmann::ordered_json& intervals = (*json)["intervals"];
  for (const auto& [name, interval] : result.intervals)
    intervals[name] = {interval.low, interval.high};
  (*json)["bootstrap"] = {{"resamples", output.bootstrap.resamples},
                          {"seed", output.bootstrap.seed},
                          {"confidence", output.bootstrap.confidence}};
}

std::string IntervalText(const EvaluationResult& result, const std::string& name) {
  const auto found = result.intervals.find(name);
  if (found == result.intervals.end()) return "";
  return absl::StrFormat("  [%.4f, %.4f]", found->second.low, found->second.high);
}

void PrintCalibration(const Calibration& calibration) {
  std::cout << absl::StrFormat("%-32s %.4f\n", "calibration error (ECE, 10 bins)",
                               calibration.expected_error);
  std::cout << "answering only above a confidence:\n";
  for (const Abstention& one : calibration.abstentions) {
    std::cout << absl::StrFormat("  >= %.4f  answers %5.1f %%  right %5.1f %%\n", one.threshold,
                                 100 * one.coverage, 100 * one.right);
  }
}

}  // namespace

std::string EvaluationAsJson(const EvaluationOutput& output) {
  const EvaluationResult& result = *output.result;
  nlohmann::ordered_json json = {{"model", output.model},      {"task", result.task},
                                 {"data", output.data},        {"samples", result.samples},
                                 {"seconds", result.seconds},  {"metrics", result.metrics},
                                 {"failures", result.failures}};
  if (!output.set_hash.empty()) json["template_set_hash"] = output.set_hash;
  const auto remarks = result.scores.Remarks(result.metrics);
  if (!remarks.empty()) json["remarks"] = remarks;
  AddIntervals(output, &json);
  if (result.calibration) json["calibration"] = CalibrationJson(*result.calibration);
  if (result.constant) {
    json["constant"] = {{"answer", result.constant->text}, {"metrics", result.constant->metrics}};
    const auto& of_kind = result.constant->text_of_kind;
    if (!of_kind.empty()) json["constant"]["answer_of_kind"] = of_kind;
  }
  return JsonText(json, 2) + "\n";
}

void PrintEvaluation(const EvaluationOutput& output) {
  const EvaluationResult& result = *output.result;
  for (const auto& [name, value] : result.metrics) {
    std::cout << absl::StrFormat("%-32s %.4f%s%s%s\n", name, value, IntervalText(result, name),
                                 BesideConstant(result, name),
                                 NoteOfScore(result.scores.Remark(name)));
  }
  if (!result.intervals.empty()) {
    std::cout << absl::StrFormat("intervals: 95 %%, bootstrap of %d resamples, seed %d\n",
                                 output.bootstrap.resamples, output.bootstrap.seed);
  }
  if (result.calibration) PrintCalibration(*result.calibration);
  for (const std::string& failure : result.failures) std::cout << "failed  " << failure << "\n";
}

}  // namespace unival
