// unival: mean_metric.h - metrics that are the mean of a score over samples.
#ifndef UNIVAL_TASKS_METRICS_MEAN_METRIC_H_
#define UNIVAL_TASKS_METRICS_MEAN_METRIC_H_

#include <string>

#include "sdk/native/registry.h"
#include "sdk/native/task.h"

namespace unival {

// The score of one answer. A failed answer is not scored; it counts as 0.
using Score = double (*)(const References&, const Prediction&);

// A metric that gives the mean of `score` over all samples as `result.name`, and, where samples
// have a text column `kind`, the mean per value of it as "<name>/kind=<value>". 0 without samples.
MetricFactory MeanMetricFactory(const std::string& name, const ScoreInfo& result,
                                const std::string& summary, Score score, bool needs_box = false);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_MEAN_METRIC_H_
