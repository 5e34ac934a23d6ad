#include "training/config/optimizer_plan.h"

namespace unival {

OptimizerConfig MakeOptimizerConfig(const OptimizerPlan& plan) {
  OptimizerConfig config;
  config.beta1 = plan.beta1();
  config.beta2 = plan.beta2();
  config.epsilon = plan.epsilon();
  config.weight_decay = plan.weight_decay();
  config.option = {plan.option().begin(), plan.option().end()};
  return config;
}

ScheduleConfig MakeScheduleConfig(const OptimizerPlan& plan, int64_t steps) {
  ScheduleConfig config;
  config.peak = plan.learning_rate();
  config.flat_ratio = plan.flat_ratio();
  config.warmup_ratio = plan.warmup_ratio();
  config.total_updates = steps;
  config.option = {plan.schedule_option().begin(), plan.schedule_option().end()};
  return config;
}

}  // namespace unival
