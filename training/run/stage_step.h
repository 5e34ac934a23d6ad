// unival: stage_step.h - what a stage's plan says of each of its micro-batches.
#ifndef UNIVAL_TRAINING_RUN_STAGE_STEP_H_
#define UNIVAL_TRAINING_RUN_STAGE_STEP_H_

#include <vector>

#include "training/config/plan.h"
#include "training/run/batch_loader.h"
#include "training/run/checkpoint.h"
#include "training/run/run.h"
#include "training/run/training_step.h"

namespace unival {

// The loss of the stage.
LossConfig LossOf(const Stage& stage, const VocabularyView& vocabulary);

// Of micro-batch `micro` of the step that the run is at, in the stage that it is at; alone. `loss`:
// LossOf that stage.
StepOptions StepOptionsOf(const Run& run, const LossConfig& loss, const TrainingBatch& batch,
                          int micro);

// Adds what a micro-batch has lost, and each of its sources, to what the log says next. `source`:
// the one that all rows come from, where they are not mixed.
void CountStep(const std::vector<StageSource>& sources, int source, const StepLoss& step,
               LogWindow* window);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_STEP_H_
