#include "training/evaluation/main_metric.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {

absl::StatusOr<std::string> MainMetric(const EvaluationResult& result, const std::string& wanted) {
  if (result.metrics.count(wanted) > 0) return wanted;
  const std::string main = result.scores.Main(result.metrics);
  if (wanted.empty() && !main.empty()) return main;
  std::vector<std::string> given;
  for (const auto& [name, value] : result.metrics) {
    if (IsOfAllRecords(name)) given.push_back(name);
  }
  return absl::InvalidArgumentError(absl::StrCat("metric \"", wanted, "\": task \"", result.task,
                                                 "\" gives ", absl::StrJoin(given, ", ")));
}

}  // namespace unival
