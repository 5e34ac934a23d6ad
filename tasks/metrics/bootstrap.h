// unival: bootstrap.h
//
// How far a score may be trusted: intervals by the bootstrap (Efron, 1979) and the paired test of
// two runs over the same samples (Koehn, 2004).
//
//   auto intervals = BootstrapIntervals(*metric, {});
//   intervals.at("cider").low
//
// Deterministic for a seed. Pure functions; a metric belongs to one thread.
#ifndef UNIVAL_TASKS_METRICS_BOOTSTRAP_H_
#define UNIVAL_TASKS_METRICS_BOOTSTRAP_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/scored_metric.h"
#include "tasks/metrics/task_scores.h"

namespace unival {

// Intervals of so many resamples have more digits than anybody reads; more would take hours.
constexpr int kMaxResamples = 100000;

struct BootstrapOptions {
  int resamples = 1000;  // 0: nothing is drawn, and nothing returned
  uint64_t seed = 0;
  double confidence = 0.95;
};

struct Interval {
  double low = 0, high = 0;
};

// Percentile intervals of every score. Samples, or groups of them, are drawn with replacement as
// many times as there are.
std::map<std::string, Interval> BootstrapIntervals(const ScoredMetric& metric,
                                                   const BootstrapOptions& options);

// Of two runs a and b over the same samples.
struct PairedDifference {
  double a = 0, b = 0, difference = 0;  // b - a; exactly 0 where no sample's score moved
  Interval interval;                    // of the difference
  // Two-sided: the share of resamples in which the difference has the other sign or none, doubled;
  // never below 2 / 2^moved_units, which is the least that an exact test gives. 1 where nothing
  // moved.
  double p = 1;
  int64_t moved_units = 0;                  // samples, or groups of them, whose own score changed
  int64_t higher = 0, lower = 0, same = 0;  // samples whose own score is so in b
  bool less_is_better = false;              // of this score
  std::string remark;                       // ScoreRemark of it

  int64_t better() const { return less_is_better ? lower : higher; }
  int64_t worse() const { return less_is_better ? higher : lower; }
};

// `facts` say of which scores less is better. FailedPrecondition when the runs have different
// numbers of samples.
absl::StatusOr<std::map<std::string, PairedDifference>> ComparePaired(
    const ScoredMetric& a, const ScoredMetric& b, const BootstrapOptions& options,
    const TaskScores& facts = TaskScores());

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_BOOTSTRAP_H_
