// unival: optimizer_plan.h - what a plan says of optimizer and schedule, as they take it.
#ifndef UNIVAL_TRAINING_CONFIG_OPTIMIZER_PLAN_H_
#define UNIVAL_TRAINING_CONFIG_OPTIMIZER_PLAN_H_

#include <cstdint>
#include <vector>

#include "training/config/plan.pb.h"
#include "training/optimizer/grouped_optimizer.h"
#include "training/optimizer/optimizer.h"
#include "training/optimizer/schedule.h"

namespace unival {

// Of a resolved plan (ResolvePlan).
OptimizerConfig MakeOptimizerConfig(const OptimizerPlan& plan);
// Of a plan that was checked: its patterns can be read.
std::vector<ParameterGroup> MakeGroups(const OptimizerPlan& plan);
// For a stage of so many `steps`.
ScheduleConfig MakeScheduleConfig(const OptimizerPlan& plan, int64_t steps);

}  // namespace unival

#endif  // UNIVAL_TRAINING_CONFIG_OPTIMIZER_PLAN_H_
