// unival: gradient_check.h - whether a source gives what a stage trains a gradient, asked of the
// model itself before the first step.
#ifndef UNIVAL_TRAINING_RUN_GRADIENT_CHECK_H_
#define UNIVAL_TRAINING_RUN_GRADIENT_CHECK_H_

#include "runtime/model.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"
#include "training/loss/loss.h"
#include "training/run/trainable.h"

namespace unival {

// Trains nothing: takes the gradients of a few of the source's first records, in evaluation mode,
// and says whether one of them is not zero. True as well where no record could be used: that is met
// where its turn comes. Afterwards no tensor asks for a gradient. Meant for parameters that were
// chosen by name: which of those an example uses, only the model knows.
bool GivesGradient(const Model& model, const TrainableSet& trained, const Task& task,
                   const Source& source, const LossConfig& loss);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_GRADIENT_CHECK_H_
