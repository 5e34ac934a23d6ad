// unival: stage_optimizer.h - what moves the parameters of a stage: optimizer, schedule, average.
#ifndef UNIVAL_TRAINING_RUN_STAGE_OPTIMIZER_H_
#define UNIVAL_TRAINING_RUN_STAGE_OPTIMIZER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "training/config/plan.h"
#include "training/optimizer/moving_average.h"
#include "training/optimizer/optimizer.h"
#include "training/optimizer/schedule.h"
#include "training/run/trainable.h"

namespace unival {

// Statistics that modules which train keep, such as those of normalization.
std::vector<NamedTensor> TrainingBuffers(const Model& model, const TrainableSet& trainable);

// Belongs to the thread that trains. Shares the tensors of the model.
class StageOptimizer {
 public:
  // `state`: of a checkpoint inside the stage; empty where the stage begins.
  static absl::StatusOr<StageOptimizer> Create(const Stage& stage, const Model& model,
                                               const TrainableSet& trainable,
                                               const TensorState& state);

  void ZeroGradients() { optimizer_->ZeroGradients(); }
  // The learning rate of the step behind `stage_step` finished ones.
  double Rate(int64_t stage_step) const { return schedule_.Rate(stage_step); }
  // Returns the norm before clipping; where that is not finite, no step may follow.
  double ClipGradients() { return optimizer_->ScaleAndClipGradients(1.0, clip_norm_); }
  absl::Status Step(int64_t stage_step);

  // The weights and their average, where the plan has one, change places.
  void SwapAverage();
  // Of optimizer and average, for a checkpoint.
  TensorState State() const;

 private:
  StageOptimizer(Schedule schedule, std::unique_ptr<Optimizer> optimizer, double clip_norm)
      : schedule_(std::move(schedule)), optimizer_(std::move(optimizer)), clip_norm_(clip_norm) {}
  absl::Status Load(const TensorState& state);

  Schedule schedule_;
  std::unique_ptr<Optimizer> optimizer_;
  double clip_norm_;
  std::unique_ptr<MovingAverage> average_;  // null: none
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_OPTIMIZER_H_
