// The schedule "inverse_sqrt": peak * sqrt(warm-up / finished), as in Vaswani 2017. It has no end,
// so that a stage may go on for as long as it likes; it needs a warm-up.

#include <algorithm>
#include <cmath>

#include "sdk/base/status.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

double InverseSqrt(const ScheduleConfig& config, int64_t warmup, int64_t finished) {
  const auto begin = static_cast<double>(std::max<int64_t>(1, warmup));
  return config.peak * std::sqrt(begin / std::max(begin, static_cast<double>(finished)));
}

absl::Status CheckInverseSqrt(const ScheduleConfig& config) {
  if (config.warmup_updates > 0 || config.warmup_ratio > 0) return absl::OkStatus();
  return FieldError("schedule inverse_sqrt", "warmup_steps or warmup_ratio above 0", "0",
                    "its rate falls from the end of the warm-up on");
}

const Registered<ScheduleType> kInverseSqrt({"inverse_sqrt",
                                             "Warm-up, then down with the root of the steps",
                                             &InverseSqrt,
                                             /*needs_total=*/false,
                                             {},
                                             &CheckInverseSqrt});

}  // namespace
}  // namespace unival
