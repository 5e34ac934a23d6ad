// unival: stage_dropout.h - what a stage drops in training: `dropout`, `attention_dropout` and
// `drop_path` of the plan over what the model has.
#ifndef UNIVAL_TRAINING_RUN_STAGE_DROPOUT_H_
#define UNIVAL_TRAINING_RUN_STAGE_DROPOUT_H_

#include <string>

#include "absl/status/status.h"
#include "backbone/model/backbone.h"
#include "runtime/model.h"
#include "training/config/plan.h"
#include "training/run/trainable.h"

namespace unival {

// Whether the plan sets a rate above 0: then all of the backbone drops, what is frozen too
// (TrainableSet::whole_backbone_drops). A frozen backbone of which the plan says nothing never
// drops.
bool DropsWhileFrozen(const Stage& stage);

// The rates that the plan sets; where it sets none, those of the model's configuration for a
// backbone that trains, and 0 for one that is frozen. The configuration stays as it is. What is
// drawn follows from the plan's seed, the step and the process (StepOptions).
DropoutRates DropoutOf(const Stage& stage, const TrainableSet& trained,
                       const BackboneConfig& config);

// From now on `backbone` drops in training mode what the stage says.
void ApplyDropout(const Stage& stage, const TrainableSet& trained, Backbone& backbone);

// InvalidArgument where the plan asks for R-Drop and two passes would be alike, as neither backbone
// nor adapters drop anything. `at`: where the stage stands in its plan, "stage[0]".
absl::Status CheckRDropActs(const std::string& at, const Stage& stage, const TrainableSet& trained,
                            const Model& model);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_DROPOUT_H_
