// unival: validation.h - measuring while a stage runs, by the evaluation code.
#ifndef UNIVAL_TRAINING_RUN_VALIDATION_H_
#define UNIVAL_TRAINING_RUN_VALIDATION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "training/run/run.h"

namespace unival {

// Indices of the evaluations that validate, the judge first.
std::vector<int> ValidatingEvaluations(const TrainingPlan& plan, const ValidationPlan& validation);

// Runs the evaluations that the stage's `validation` names, on weights as the model would be
// stored, writes a line of the log for each and the answers to OUTPUT/validation/NAME/STEP.jsonl,
// and notes in the run's state whether the judge's metric is the best so far, which is the return
// value. Leaves the model in evaluation mode and its weights as they were. Draws nothing: training
// goes on to the same bits as without it. Errors: those of Evaluate and CheckReadable;
// InvalidArgument for a metric that the judge does not give.
absl::StatusOr<bool> Validate(Run* run, const Stage& stage);

// Whether the stage is over by its validations: none was better for as long as `patience` says, or
// `target` was reached.
bool EndsByValidation(const Run& run, const Stage& stage);
// "patience", "target", or "steps" where validation ends nothing.
const char* EndOf(const Run& run, const Stage& stage);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_VALIDATION_H_
