// unival: metrics.h
//
// The metrics that ship, in one table. Each family stands in a file of its own and takes its
// references through a reader, so that any task can use any metric that fits its target. Plugins
// add theirs with Registrar::AddMetric.
//
//   Registry registry;
//   UNIVAL_RETURN_IF_ERROR(RegisterBuiltinMetrics(registry));
//   UNIVAL_ASSIGN_OR_RETURN(const MetricFactory* factory, registry.FindMetric("exact_match"));
//   std::unique_ptr<Metric> metric = factory->create(reader);
//   metric->Add(sample, prediction);
//   metric->Result();   // {"exact_match": 0.93, "exact_match/kind=count": 0.88, ...}
//
// Means over samples are also given per value of the text column `kind` where samples have one.
// Metric objects belong to one thread; functions are thread-safe.
#ifndef UNIVAL_TASKS_METRICS_METRICS_H_
#define UNIVAL_TASKS_METRICS_METRICS_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "sdk/native/registry.h"
#include "sdk/native/scored_metric.h"
#include "sdk/native/task.h"

namespace unival {

// AlreadyExists when a name is taken.
absl::Status RegisterBuiltinMetrics(Registrar& registrar);

// A registry with these metrics alone, made once; for callers without plugins.
const Registry& BuiltinMetrics();

// How many records there were, and how many of them had no answer.
constexpr char kSamplesScore[] = "samples", kFailuresScore[] = "failures";

// One metric that feeds all of `metrics` and adds these counts. Of those among them that are no
// ScoredMetric it has the result alone.
std::unique_ptr<ScoredMetric> CombineMetrics(std::vector<std::unique_ptr<Metric>> metrics);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_METRICS_H_
