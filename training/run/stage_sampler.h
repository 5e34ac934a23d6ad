// unival: stage_sampler.h - the order in which a stage takes its records, as its plan says.
#ifndef UNIVAL_TRAINING_RUN_STAGE_SAMPLER_H_
#define UNIVAL_TRAINING_RUN_STAGE_SAMPLER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/config/plan.h"
#include "training/data/sample/sampler.h"
#include "training/run/batch_loader.h"

namespace unival {

// At the beginning of stage `index`. `sources`: of that stage, opened. `unlocked`: those that a
// plateau has unlocked, by name, with the step; others that wait for one take no part. `rank`:
// which of `world_size` processes takes its rows. Errors: those of the sampler.
absl::StatusOr<BalancedSampler> MakeStageSampler(const TrainingPlan& plan, int index,
                                                 const std::vector<StageSource>& sources,
                                                 const std::map<std::string, int64_t>& unlocked,
                                                 int rank = 0, int world_size = 1);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_SAMPLER_H_
