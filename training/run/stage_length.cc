#include "training/run/stage_length.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/run/stage_sampler.h"

namespace unival {
namespace {

constexpr int64_t kMostStepsOfEpochs = int64_t{1} << 40;  // far beyond any run

int CountedSource(const Stage& stage) {
  for (int i = 0; i < stage.source_size(); ++i) {
    const SourcePlan& source = stage.source(i);
    const bool is_first =
        source.unlock_step() == 0 && source.weight() > 0 && source.unlock_after_plateau() == 0;
    if (stage.epochs_of().empty() ? is_first : source.name() == stage.epochs_of()) return i;
  }
  return 0;
}

// Source after source as the stage will take them, until enough rows were taken of one.
absl::StatusOr<int64_t> StepsOfEpochs(const LoadedPlan& plan, int index,
                                      const std::vector<StageSource>& sources, int processes) {
  const Stage& stage = plan.proto.stage(index);
  UNIVAL_ASSIGN_OR_RETURN(BalancedSampler sampler,
                          MakeStageSampler(plan.proto, index, sources, {}, 0, processes));
  const int counted = CountedSource(stage);
  const auto records = static_cast<double>(sources[static_cast<size_t>(counted)].source->size());
  const auto wanted = static_cast<int64_t>(std::ceil(stage.epochs() * records - 1e-9));
  for (int64_t step = 0; step < kMostStepsOfEpochs; ++step) {
    for (int micro = 0; micro < stage.micro_batches(); ++micro) sampler.Next(step);
    if (sampler.drawn(counted) >= wanted) return step + 1;
  }
  return PlanError(plan, absl::StrCat("stage[", index, "].epochs"), "fewer steps than 2^40",
                   absl::StrCat(stage.epochs(), " epochs"), "lower it");
}

}  // namespace

absl::Status ResolveEpochs(const RunData& data, LoadedPlan* plan, int processes) {
  bool has_any = false;
  for (int i = 0; i < plan->proto.stage_size(); ++i) {
    if (plan->proto.stage(i).epochs() == 0) continue;
    UNIVAL_ASSIGN_OR_RETURN(
        const int64_t steps,
        StepsOfEpochs(*plan, i, data.stages[static_cast<size_t>(i)], processes));
    Stage* stage = plan->proto.mutable_stage(i);
    stage->set_steps(steps);
    stage->clear_epochs();
    stage->clear_epochs_of();
    has_any = true;
  }
  return has_any ? CheckPlan(*plan) : absl::OkStatus();
}

}  // namespace unival
