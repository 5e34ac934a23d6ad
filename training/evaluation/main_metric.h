// unival: main_metric.h - the one number by which models are ranked.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::string metric, MainMetric(result, ""));   // "exact_match"
#ifndef UNIVAL_TRAINING_EVALUATION_MAIN_METRIC_H_
#define UNIVAL_TRAINING_EVALUATION_MAIN_METRIC_H_

#include <string>

#include "absl/status/statusor.h"
#include "training/evaluation/evaluate.h"

namespace unival {

// `wanted` itself, or where it is empty the score of the highest rank that the evaluation gave
// (TaskScores::Main): of those that ship the first of accuracy, exact_match, iou, cider, rouge_l,
// bleu_4, or else the first by name. Whether less of it is better, `result.scores` knows.
// InvalidArgument lists what the evaluation gives when `wanted` is not among it.
absl::StatusOr<std::string> MainMetric(const EvaluationResult& result, const std::string& wanted);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_MAIN_METRIC_H_
