// unival: diagnosis.h
//
// Why an evaluation came out no better than a constant answer: the features, the connection, or the
// language model.
//
//   if (IsNoBetterThanConstant(result)) {
//     UNIVAL_ASSIGN_OR_RETURN(std::string why, Diagnose(*pipeline, result, train.get(), *test));
//   }
#ifndef UNIVAL_TRAINING_EVALUATION_DIAGNOSIS_H_
#define UNIVAL_TRAINING_EVALUATION_DIAGNOSIS_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/pipeline.h"
#include "training/data/read/source.h"
#include "training/evaluation/evaluate.h"

namespace unival {

// The score that is compared with that of the constant answer: the main one of those that are
// shares of right answers, "accuracy", "" where the task has none or its answers are no texts.
std::string ComparedMetric(const EvaluationResult& result);

// Whether that score is not above the constant answer's.
bool IsNoBetterThanConstant(const EvaluationResult& result);

// Sentences for people: first, how many test answers training never shows; both scores; how many
// of the answers the language model can repeat from text; and, for a task with one media item
// whose answers are classes (each stands several times in the training source, most of the
// test's among them), what a linear classifier makes of the same features of a thousand records;
// then which part fails by these figures. Seconds, whatever the size of the data. `train` may be
// null. Errors: those of CheckSpeaking and LinearProbe.
absl::StatusOr<std::string> Diagnose(Pipeline& pipeline, const EvaluationResult& result,
                                     const Source* train, const Source& test);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_DIAGNOSIS_H_
