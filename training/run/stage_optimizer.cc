#include "training/run/stage_optimizer.h"

#include <string>
#include <utility>

#include "absl/strings/strip.h"
#include "sdk/base/status_macros.h"
#include "training/config/optimizer_plan.h"
#include "training/run/checkpoint.h"

namespace unival {
namespace {

std::vector<NamedTensor> AveragedTensors(const Model& model, const TrainableSet& trainable) {
  std::vector<NamedTensor> tensors = trainable.parameters;
  for (const NamedTensor& entry : TrainingBuffers(model, trainable)) {
    if (entry.tensor.is_floating_point()) tensors.push_back(entry);
  }
  return tensors;
}

}  // namespace

std::vector<NamedTensor> TrainingBuffers(const Model& model, const TrainableSet& trainable) {
  std::vector<NamedTensor> buffers;
  for (const NamedTensor& entry : model.State()) {
    if (!entry.is_buffer) continue;
    const std::string owner = entry.name.substr(0, entry.name.rfind('.') + 1);
    if (trainable.Touches(owner)) buffers.push_back(entry);
  }
  return buffers;
}

absl::StatusOr<StageOptimizer> StageOptimizer::Create(const Stage& stage, const Model& model,
                                                      const TrainableSet& trainable,
                                                      const TensorState& state) {
  const OptimizerPlan& plan = stage.optimizer();
  UNIVAL_ASSIGN_OR_RETURN(
      Schedule schedule,
      Schedule::Create(plan.schedule(), MakeScheduleConfig(plan, stage.steps())));
  UNIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer,
                          CreateGroupedOptimizer(OptimizerNameOf(plan), MakeOptimizerConfig(plan),
                                                 MakeGroups(plan), trainable.parameters));
  StageOptimizer made(std::move(schedule), std::move(optimizer), plan.clip_norm());
  if (plan.ema_decay() > 0) {
    UNIVAL_ASSIGN_OR_RETURN(
        made.average_,
        MovingAverage::Create({plan.ema_decay(), 0}, AveragedTensors(model, trainable)));
  }
  if (!state.empty()) UNIVAL_RETURN_IF_ERROR(made.Load(state));
  return made;
}

absl::Status StageOptimizer::Load(const TensorState& state) {
  TensorState moments, average;
  for (const auto& [full, tensor] : state) {
    absl::string_view name = full;
    const bool averaged = absl::ConsumePrefix(&name, kAveragePrefix);
    (averaged ? average : moments)[std::string(name)] = tensor;
  }
  UNIVAL_RETURN_IF_ERROR(optimizer_->LoadState(moments));
  return average_ == nullptr ? absl::OkStatus() : average_->LoadState(average);
}

absl::Status StageOptimizer::Step(int64_t stage_step) {
  UNIVAL_RETURN_IF_ERROR(optimizer_->Step(Rate(stage_step)));
  if (average_ != nullptr) average_->Update(stage_step + 1);
  return absl::OkStatus();
}

void StageOptimizer::SwapAverage() {
  if (average_ != nullptr) average_->Swap();
}

TensorState StageOptimizer::State() const {
  TensorState state = optimizer_->State();
  if (average_ == nullptr) return state;
  for (const auto& [name, tensor] : average_->State()) state[kAveragePrefix + name] = tensor;
  return state;
}

}  // namespace unival
