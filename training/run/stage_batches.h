// unival: stage_batches.h - the micro-batches of a stage, in the order that its seed gives.
#ifndef UNIVAL_TRAINING_RUN_STAGE_BATCHES_H_
#define UNIVAL_TRAINING_RUN_STAGE_BATCHES_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/run/batch_loader.h"
#include "training/run/run.h"
#include "training/run/shared_step.h"
#include "training/run/stage_caches.h"

namespace unival {

struct EncodedBatch {
  TrainingBatch batch;  // of this process
  BatchCounts counts;   // of all processes that share the run
};

// Belongs to the thread that trains; its loader has threads of its own. `run` must outlive it.
class StageBatches {
 public:
  // Opens the caches of the stage that the run is at.
  static absl::StatusOr<StageBatches> Create(Run* run, const TrainableSet& trainable);

  // Prepares batches from where the run stands. `unlocking`: sources, by index, that take part from
  // now on; what was prepared without them is dropped.
  absl::Status Start(const std::vector<int>& unlocking = {});
  // The next one, with the features of frozen encoders. Times go into the run's window.
  absl::StatusOr<EncodedBatch> Next(SharedStep* shared);

 private:
  StageBatches(Run* run, StageCaches caches) : run_(run), caches_(std::move(caches)) {}
  const Stage& stage() const { return run_->plan.proto.stage(run_->state.stage); }
  const std::vector<StageSource>& sources() const { return run_->data.stages[run_->state.stage]; }
  absl::StatusOr<TrainingBatch> Load();
  LoaderOptions OptionsOfLoader() const;

  Run* run_;
  StageCaches caches_;
  std::unique_ptr<BatchLoader> loader_;  // after what its threads use
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_BATCHES_H_
