// unival: stage_run.h - the steps of one stage.
#ifndef UNIVAL_TRAINING_RUN_STAGE_RUN_H_
#define UNIVAL_TRAINING_RUN_STAGE_RUN_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "training/run/run.h"

namespace unival {

// Trains stage `run->state.stage` from where the state stands to its end, or until the run is asked
// to stop (then `run->stopped` is set). Checkpoints on the way and at the end. `optimizer_state`:
// of the interrupted stage, or empty.
absl::Status RunStage(Run* run, const std::map<std::string, at::Tensor>& optimizer_state);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_RUN_H_
