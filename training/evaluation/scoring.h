// unival: scoring.h
//
// Scores of answers that were read from a file, with their intervals, and the comparison of two
// such files.
//
//   UNIVAL_ASSIGN_OR_RETURN(ScoredInput scored, ScoreAnswers(std::move(input), registry, options));
//   scored.scores.at("cider_d").value
#ifndef UNIVAL_TRAINING_EVALUATION_SCORING_H_
#define UNIVAL_TRAINING_EVALUATION_SCORING_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/registry.h"
#include "sdk/native/scored_metric.h"
#include "tasks/metrics/bootstrap.h"
#include "tasks/metrics/caption_metrics.h"
#include "tasks/metrics/task_scores.h"
#include "training/evaluation/score_input.h"

namespace unival {

struct ScoringOptions {
  std::vector<std::string> metrics;  // empty: those usual for the layout
  CaptionWords words = CaptionWords::kPennTreebank;
  BootstrapOptions bootstrap;
};

struct ScoreValue {
  double value = 0;
  absl::optional<Interval> interval;  // absent: not drawn, or a metric that cannot be
  bool less_is_better = false;
  std::string remark;  // ScoreRemark of it
};

struct ScoredInput {
  ScoreInput input;
  std::unique_ptr<ScoredMetric> metric;  // has seen all of `input`
  std::map<std::string, ScoreValue> scores;
};

// The scores of any metric, with intervals where it can give them. `facts` say of which scores less
// is better.
std::map<std::string, ScoreValue> ScoresWithIntervals(const Metric& metric,
                                                      const BootstrapOptions& options,
                                                      const TaskScores& facts);

// Scores the answers of `input`. NotFound for an unknown metric; InvalidArgument for a sample that
// lacks what a metric needs.
absl::StatusOr<ScoredInput> ScoreAnswers(ScoreInput input, const Registry& registry,
                                         const ScoringOptions& options);

// Compares two files with answers to the same records, which are matched by key. FailedPrecondition
// names a key that only one of them has.
absl::StatusOr<std::map<std::string, PairedDifference>> CompareAnswers(
    const ScoreInput& a, const ScoreInput& b, const Registry& registry,
    const ScoringOptions& options);

// The file's own scores beside ours.
struct ExpectedCheck {
  int64_t compared = 0;
  double largest_difference = 0;
  std::string at;  // where: "rouge_l", "rouge_l of 137"
};
ExpectedCheck CompareWithExpected(const ScoredInput& scored);

// InvalidArgument names a score that the file states and nothing here computes, with those that
// there are: a typing error would pass for agreement. Where `options` choose the metrics, scores of
// the others may stand there.
absl::Status CheckExpectedNames(const ScoredInput& scored, const ScoringOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_SCORING_H_
