// The schedule "linear": from the peak down to end_rate at total_updates.

#include "training/optimizer/falling.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

double FallLinearly(const ScheduleConfig& config, int64_t warmup, int64_t finished) {
  const double end = EndRate(config);
  return (config.peak - end) * (1 - Progress(finished, warmup, config.total_updates)) + end;
}

const Registered<ScheduleType> kLinear({"linear",
                                        "Warm-up, then down to end_rate",
                                        &FallLinearly,
                                        /*needs_total=*/true,
                                        {kEndRate},
                                        &CheckEndRate});

}  // namespace
}  // namespace unival
