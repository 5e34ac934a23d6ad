#include "training/evaluation/main_metric.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {
namespace {

constexpr const char* kPreferred[] = {"accuracy", "exact_match", "iou",
                                      "cider",    "rouge_l",     "bleu_4"};

// Counts, and the values of groups of records ("accuracy/kind=color"), rank no model.
bool Ranks(const std::string& metric) {
  return metric != "samples" && metric != "failures" && !absl::StrContains(metric, '/');
}

}  // namespace

absl::StatusOr<std::string> MainMetric(const EvaluationResult& result, const std::string& wanted) {
  if (result.metrics.count(wanted) > 0) return wanted;
  std::vector<std::string> given;
  for (const auto& [name, value] : result.metrics) {
    if (Ranks(name)) given.push_back(name);
  }
  if (!wanted.empty() || given.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("metric \"", wanted, "\": task \"", result.task,
                                                   "\" gives ", absl::StrJoin(given, ", ")));
  }
  for (const char* name : kPreferred) {
    if (result.metrics.count(name) > 0) return std::string(name);
  }
  return given.front();
}

bool LessIsBetter(const std::string& metric) {
  const std::string name = metric.substr(0, metric.find('/'));
  return name == "wer" || name == "chair_i" || name == "chair_s" || name == "failures";
}

}  // namespace unival
