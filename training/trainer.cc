#include "training/trainer.h"

#include <utility>

#include "sdk/base/memory_use.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/run/run.h"
#include "training/run/stage_run.h"

namespace unival {
namespace {

absl::StatusOr<TrainResult> TrainRun(Run* run) {
  std::map<std::string, at::Tensor> optimizer_state;
  UNIVAL_RETURN_IF_ERROR(PrepareRun(run, &optimizer_state));
  while (!run->stopped && run->state.stage < run->plan.proto.stage_size()) {
    UNIVAL_RETURN_IF_ERROR(CloseOtherStages(run->data, run->state.stage));
    UNIVAL_RETURN_IF_ERROR(RunStage(run, optimizer_state));
    optimizer_state.clear();
  }
  TrainResult result;
  const RunState& state = run->state;
  result.finished = !run->stopped;
  result.steps = state.step;
  result.final_loss = state.last_loss;
  result.skipped_batches = state.totals.skipped;
  result.seconds = state.totals.seconds;
  result.steps_per_second =
      state.totals.seconds > 0 ? static_cast<double>(state.step) / state.totals.seconds : 0;
  result.encoder_calls = state.totals.encoder_calls;
  result.cache_hits = state.totals.cache_hits;
  result.peak_memory_mb = PeakMemoryMb();
  for (const NamedTensor& entry : run->model->State()) {
    if (state.trained.count(entry.name) > 0) result.trainable_scalars += entry.tensor.numel();
  }
  if (result.finished && run->IsFirst()) UNIVAL_RETURN_IF_ERROR(FinishRun(run, &result));
  return result;
}

}  // namespace

absl::StatusOr<TrainResult> Train(const TrainOptions& options, const Runtime& runtime) {
  Run run(options, runtime);
  absl::StatusOr<TrainResult> result = CatchTorch("training", [&] { return TrainRun(&run); });
  if (options.world != nullptr) options.world->Fail(result.status());
  return result;
}

}  // namespace unival
