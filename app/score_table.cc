#include "app/score_table.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/json_text.h"

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

// "remark" where there is one.
nlohmann::ordered_json RemarkedJson(const PairedDifference& difference) {
  nlohmann::ordered_json json = DifferenceJson(difference);
  if (!difference.remark.empty()) json["remark"] = difference.remark;
  return json;
}

}  // namespace

std::string NoteOfScore(const std::string& remark) {
  return remark.empty() ? "" : absl::StrCat("   ", remark);
}

void AddScores(const std::map<std::string, ScoreValue>& scores, const BootstrapOptions& options,
               nlohmann::ordered_json* json) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object(), intervals = values,
                         remarks = values;
  for (const auto& [name, score] : scores) {
    if (!score.remark.empty()) remarks[name] = score.remark;
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
    std::cout << NoteOfScore(score.remark) << "\n";
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
      differences[name] = RemarkedJson(difference);
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
                                 NoteOfScore(one.remark));
  }
  std::cout << absl::StrFormat(
      "paired bootstrap of %d resamples, seed %d; worse in b: what was forgotten\n",
      comparison.bootstrap.resamples, comparison.bootstrap.seed);
}

}  // namespace unival
