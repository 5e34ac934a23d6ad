#include "app/eval_bounds.h"

#include <cmath>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace unival {
namespace {

absl::Status NoSuchMetric(const std::string& name, const std::string& task,
                          const std::map<std::string, double>& metrics) {
  const std::string known = absl::StrJoin(metrics, ", ", [](std::string* out, const auto& metric) {
    absl::StrAppend(out, metric.first);
  });
  return UsageError(absl::StrCat("--at_least ", name, ": task \"", task,
                                 "\" has no such metric; it gives: ", known));
}

}  // namespace

absl::StatusOr<std::map<std::string, double>> ParseBounds(const std::vector<std::string>& pairs) {
  std::map<std::string, double> bounds;
  for (const std::string& pair : pairs) {
    // The last "=" is the separator: a metric's own name may hold one, as "exact_match/kind=count".
    const size_t equals = pair.rfind('=');
    double value = 0;
    if (equals == std::string::npos || !absl::SimpleAtod(pair.substr(equals + 1), &value) ||
        !std::isfinite(value)) {
      return UsageError(
          absl::StrCat("--at_least ", pair, ": expected metric=number, such as exact_match=0.9"));
    }
    if (!bounds.emplace(pair.substr(0, equals), value).second) {
      return UsageError(absl::StrCat("--at_least ", pair, ": the metric \"", pair.substr(0, equals),
                                     "\" is given twice"));
    }
  }
  return bounds;
}

absl::Status CheckMetricNames(const std::map<std::string, double>& bounds, const Task& task) {
  const std::map<std::string, double> metrics = task.NewMetric()->Result();
  for (const auto& named : bounds) {
    if (metrics.count(named.first.substr(0, named.first.find('/'))) > 0) continue;
    return NoSuchMetric(named.first, task.info().name, metrics);
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> CompareWithBounds(const std::map<std::string, double>& bounds,
                                           const EvaluationResult& result) {
  ExitCode code = kDone;
  for (const auto& [name, bound] : bounds) {
    const auto found = result.metrics.find(name);
    if (found == result.metrics.end()) return NoSuchMetric(name, result.task, result.metrics);
    const TaskScores& scores = result.scores;
    if (scores.Merit(name, found->second) >= scores.Merit(name, bound)) continue;
    const bool less = scores.LessIsBetter(name);
    std::cerr << absl::StrFormat("unival: %s: expected at %s %g, got %.4f\n", name,
                                 less ? "most" : "least", bound, found->second);
    code = kDifferent;
  }
  return code;
}

}  // namespace unival
