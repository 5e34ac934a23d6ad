// unival: stage_length.h - how many steps the epochs of a stage are.
#ifndef UNIVAL_TRAINING_RUN_STAGE_LENGTH_H_
#define UNIVAL_TRAINING_RUN_STAGE_LENGTH_H_

#include "absl/status/status.h"
#include "training/run/run_setup.h"

namespace unival {

// Puts the number of steps in the place of every stage's `epochs`: the least after which its source
// has given so many times its records, by all `processes` of the run. Checks the plan again where
// there were any. Errors: those of CheckPlan; InvalidArgument where there would be more steps than
// a stage may have.
absl::Status ResolveEpochs(const RunData& data, LoadedPlan* plan, int processes = 1);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_LENGTH_H_
