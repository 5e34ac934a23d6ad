#include "app/score_table.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/json_text.h"
#include "tasks/metrics/task_scores.h"

namespace unival {
namespace {

nlohmann::ordered_json BootstrapJson(const BootstrapOptions& options) {
  return {
      {"resamples", options.resamples}, {"seed", options.seed}, {"confidence", options.confidence}};
}

nlohmann::ordered_json DifferenceJson(const PairedDifference& difference) {
  return {{"a", difference.a},
          {"b", difference.b},
          {"difference", difference.difference},
          {"interval", {difference.interval.low, difference.interval.high}},
          {"p", difference.p},
          {"higher", difference.higher},
          {"lower", difference.lower},
          {"same", difference.same},
          {"less_is_better", difference.less_is_better},
          {"better", difference.better()},
          {"worse", difference.worse()}};
}

}  // namespace

std::string NoteOfScore(const std::string& score, bool less_is_better) {
  const std::string remark = ScoreRemark(score, less_is_better);
  return remark.empty() ? "" : absl::StrCat("   ", remark);
}

void AddScores(const std::map<std::string, ScoreValue>& scores, const BootstrapOptions& options,
               nlohmann::ordered_json* json) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object(), intervals = values,
                         remarks = values;
  for (const auto& [name, score] : scores) {
    const std::string remark = ScoreRemark(name, score.less_is_better);
    if (!remark.empty()) remarks[name] = remark;
    values[name] = score.value;
    if (score.interval) intervals[name] = {score.interval->low, score.interval->high};
  }
  (*json)["metrics"] = values;
  if (!remarks.empty()) (*json)["remarks"] = remarks;
  if (intervals.empty()) return;
  (*json)["intervals"] = intervals;
  (*json)["bootstrap"] = BootstrapJson(options);
}

void PrintScoreTable(const std::map<std::string, ScoreValue>& scores,
                     const BootstrapOptions& options) {
  bool drawn = false;
  for (const auto& [name, score] : scores) {
    std::cout << absl::StrFormat("%-32s %.4f", name, score.value);
    if (score.interval) {
      std::cout << absl::StrFormat("  [%.4f, %.4f]", score.interval->low, score.interval->high);
      drawn = true;
    }
    std::cout << NoteOfScore(name, score.less_is_better) << "\n";
  }
  if (drawn) {
    std::cout << absl::StrFormat("intervals: %g %%, bootstrap of %d resamples, seed %d\n",
                                 100 * options.confidence, options.resamples, options.seed);
  }
}

void PrintComparison(const Comparison& comparison) {
  if (comparison.json) {
    nlohmann::ordered_json json = {{"a", comparison.a}, {"b", comparison.b}};
    nlohmann::ordered_json& differences = json["differences"] = nlohmann::ordered_json::object();
    for (const auto& [name, difference] : comparison.differences)
      differences[name] = DifferenceJson(difference);
    json["bootstrap"] = BootstrapJson(comparison.bootstrap);
    std::cout << JsonText(json, 2) << "\n";
    return;
  }
  std::cout << "a  " << comparison.a << "\nb  " << comparison.b << "\n";
  std::cout << absl::StrFormat("%-32s %8s %8s %9s  %-20s %6s  %s\n", "", "a", "b", "b - a",
                               "interval", "p", "better/worse/same in b");
  for (const auto& [name, one] : comparison.differences) {
    std::cout << absl::StrFormat("%-32s %8.4f %8.4f %+9.4f  [%+.4f, %+.4f] %8.4f  %d/%d/%d%s\n",
                                 name, one.a, one.b, one.difference, one.interval.low,
                                 one.interval.high, one.p, one.better(), one.worse(), one.same,
                                 NoteOfScore(name, one.less_is_better));
  }
  std::cout << absl::StrFormat(
      "paired bootstrap of %d resamples, seed %d; worse in b: what was forgotten\n",
      comparison.bootstrap.resamples, comparison.bootstrap.seed);
}

}  // namespace unival
