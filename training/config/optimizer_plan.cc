#include "training/config/optimizer_plan.h"

#include "training/config/trainable_pattern.h"

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

std::vector<ParameterGroup> MakeGroups(const OptimizerPlan& plan) {
  std::vector<ParameterGroup> groups;
  for (const ParameterGroupPlan& said : plan.group()) {
    ParameterGroup& group = groups.emplace_back();
    for (const std::string& pattern : said.pattern()) {
      const auto matches = ParseTrainablePattern(pattern);
      if (matches.ok()) group.names.push_back(*matches);
    }
    group.vectors = said.vectors();
    group.rate_scale = said.has_learning_rate_scale() ? said.learning_rate_scale() : 1;
    group.weight_decay = said.has_weight_decay() ? said.weight_decay() : plan.weight_decay();
  }
  return groups;
}

ScheduleConfig MakeScheduleConfig(const OptimizerPlan& plan, int64_t steps) {
  ScheduleConfig config;
  config.peak = plan.learning_rate();
  config.flat_ratio = plan.flat_ratio();
  config.warmup_ratio = plan.warmup_ratio();
  config.warmup_updates = plan.warmup_steps();
  config.total_updates = plan.decay_steps() > 0 ? plan.decay_steps() : steps;
  config.option = {plan.schedule_option().begin(), plan.schedule_option().end()};
  return config;
}

}  // namespace unival
