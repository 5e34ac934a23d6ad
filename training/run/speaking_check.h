// unival: speaking_check.h - checks, before a stage that leaves the language model as it is,
// whether that model can say the texts that the stage's records want.
#ifndef UNIVAL_TRAINING_RUN_SPEAKING_CHECK_H_
#define UNIVAL_TRAINING_RUN_SPEAKING_CHECK_H_

#include <vector>

#include "absl/status/status.h"
#include "training/run/batch_loader.h"
#include "training/run/run.h"
#include "training/run/trainable.h"

namespace unival {

// Says on the run's printer what cannot be said, by word, and what to do about it. Does nothing
// where the backbone trains. Errors: those of reading a record or making its target.
absl::Status WarnOfUnsayableTargets(Run& run, const std::vector<StageSource>& sources,
                                    const TrainableSet& trainable);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_SPEAKING_CHECK_H_
