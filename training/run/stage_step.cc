#include "training/run/stage_step.h"

#include <cstdint>
#include <utility>

#include "sdk/base/random.h"
#include "training/config/loss_mean.h"
#include "training/config/precision.h"

namespace unival {

LossConfig LossOf(const Stage& stage, const VocabularyView& vocabulary) {
  LossConfig loss = MakeLoss(stage.loss(), vocabulary);
  loss.by_row = stage.has_mixed_batches();
  return loss;
}

StepOptions StepOptionsOf(const Run& run, const LossConfig& loss, const TrainingBatch& batch,
                          int micro) {
  const TrainingPlan& plan = run.plan.proto;
  const Stage& stage = plan.stage(run.state.stage);
  StepOptions options;
  options.loss = loss;
  options.update = run.state.stage_step;
  options.scale = 1.0 / stage.micro_batches();
  options.seed = Mix(plan.seed(), run.state.stage, run.state.stage_step, micro);
  options.bfloat16 = ParsePrecision(stage.precision()) == Precision::kBfloat16;
  if (!stage.has_mixed_batches()) return options;
  const LossMean mean = *ParseLossMean(stage.mixed_batches().loss_mean());
  options.mixed = MixedRows{mean, batch.example_sources, stage.source_size()};
  return options;
}

void CountStep(const std::vector<StageSource>& sources, int source, const StepLoss& step,
               LogWindow* window) {
  window->loss += step.loss, ++window->batches;
  window->tokens += step.tokens, window->correct += step.correct;
  const auto add = [&](int index, double loss) {
    std::pair<double, int64_t>& sum = window->by_source[sources[index].name];
    sum.first += loss, ++sum.second;
  };
  if (step.source_loss.empty()) return add(source, step.loss);
  for (const auto& [index, loss] : step.source_loss) add(index, loss);
}

}  // namespace unival
