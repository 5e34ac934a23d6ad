// unival: main_metric.h - the one number by which models are ranked.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::string metric, MainMetric(result, ""));   // "exact_match"
#ifndef UNIVAL_TRAINING_EVALUATION_MAIN_METRIC_H_
#define UNIVAL_TRAINING_EVALUATION_MAIN_METRIC_H_

#include <string>

#include "absl/status/statusor.h"
#include "training/evaluation/evaluate.h"

namespace unival {

// `wanted` itself, or where it is empty the first of accuracy, exact_match, iou, cider, rouge_l,
// bleu_4 that the evaluation gave, or else its first metric by name. In most of them more is
// better. InvalidArgument lists what the evaluation gives when `wanted` is not among it.
absl::StatusOr<std::string> MainMetric(const EvaluationResult& result, const std::string& wanted);

// Whether a lower value is the better one, as of errors: "wer", "chair_s". The value of a group of
// records, "wer/kind=noisy", is of the same kind.
bool LessIsBetter(const std::string& metric);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_MAIN_METRIC_H_
