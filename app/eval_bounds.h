// unival: eval_bounds.h - `unival eval --at_least metric=value`: the worst values that are allowed.
#ifndef UNIVAL_APP_EVAL_BOUNDS_H_
#define UNIVAL_APP_EVAL_BOUNDS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/options.h"
#include "sdk/native/task.h"
#include "training/evaluation/evaluate.h"

namespace unival {

// "metric=value" pairs; read before anything runs, so that a typing error costs nothing.
absl::StatusOr<std::map<std::string, double>> ParseBounds(const std::vector<std::string>& pairs);

// Checks names before any record is answered. Only the part before a slash can be checked (a metric
// without answers lists its scores): what follows it, "exact_match/kind=count", is in the records.
absl::Status CheckMetricNames(const std::map<std::string, double>& bounds, const Task& task);

// kDifferent when a score is worse than its bound; an error when a bound names no metric. A bound
// is the worst value allowed: the least one, or the largest where less is better.
absl::StatusOr<ExitCode> CompareWithBounds(const std::map<std::string, double>& bounds,
                                           const EvaluationResult& result);

}  // namespace unival

#endif  // UNIVAL_APP_EVAL_BOUNDS_H_
