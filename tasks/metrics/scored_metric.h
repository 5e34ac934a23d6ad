// unival: scored_metric.h - the metrics of sdk/native/scored_metric.h: which are, and what those
// that ship read of a sample.
#ifndef UNIVAL_TASKS_METRICS_SCORED_METRIC_H_
#define UNIVAL_TASKS_METRICS_SCORED_METRIC_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/scored_metric.h"
#include "sdk/native/task.h"
#include "tasks/metrics/metric_columns.h"

namespace unival {

// `metric`, where it can say what each sample contributed; else, and for nullptr, nullptr.
const ScoredMetric* AsScored(const Metric* metric);

// The references of `sample`, which must hold a right answer for texts. InvalidArgument names the
// sample.
absl::StatusOr<References> ReadTexts(const ReferenceReader& reader, const TaskSample& sample);

// The text in column `name` of `sample`; nullptr where there is none.
const std::string* TextColumn(const TaskSample& sample, const std::string& name);

// The value of the column `group`, a number as its digits; nothing where there is none.
absl::optional<std::string> GroupOf(const TaskSample& sample);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_SCORED_METRIC_H_
