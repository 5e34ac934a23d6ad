// The schedule "linear": from the peak down to end_rate at total_updates, with exponent `power`.

#include <cmath>

#include "training/optimizer/schedule.h"

namespace unival {
namespace {

double Linear(const ScheduleConfig& config, int64_t warmup, int64_t finished) {
  const double left = 1 - Progress(finished, warmup, config.total_updates);
  return (config.peak - config.end_rate) * std::pow(left, config.power) + config.end_rate;
}

const Registered<ScheduleType> kLinear({"linear", "Warm-up, then down to zero", &Linear});

}  // namespace
}  // namespace unival
