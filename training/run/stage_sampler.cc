#include "training/run/stage_sampler.h"

#include <limits>

#include "sdk/base/random.h"

namespace unival {
namespace {

int64_t FirstStepOf(const SourcePlan& source, const std::map<std::string, int64_t>& unlocked) {
  if (source.unlock_after_plateau() == 0) return source.unlock_step();
  const auto found = unlocked.find(source.name());
  return found == unlocked.end() ? std::numeric_limits<int64_t>::max() : found->second;
}

}  // namespace

absl::StatusOr<BalancedSampler> MakeStageSampler(const TrainingPlan& plan, int index,
                                                 const std::vector<StageSource>& sources,
                                                 const std::map<std::string, int64_t>& unlocked,
                                                 int rank, int world_size) {
  const Stage& stage = plan.stage(index);
  SamplerOptions options;
  options.seed = Mix(plan.seed(), index);
  if (stage.has_mixed_batches()) options.mixed_rows = stage.batch();
  options.rank = rank;
  options.world_size = world_size;
  for (int i = 0; i < stage.source_size(); ++i) {
    const SourcePlan& source = stage.source(i);
    options.sources.push_back({source.name(), sources[static_cast<size_t>(i)].source->size(),
                               source.weight(), FirstStepOf(source, unlocked),
                               source.batch() > 0 ? source.batch() : stage.batch()});
  }
  return BalancedSampler::Create(options);
}

}  // namespace unival
