// The schedule "cosine": the peak for the first flat_ratio of all updates, then half a cosine down
// to end_rate at total_updates.

#include <algorithm>
#include <cmath>

#include "training/optimizer/falling.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

constexpr double kPi = 3.14159265358979323846;

double FlatThenCosine(const ScheduleConfig& config, int64_t warmup, int64_t finished) {
  const int64_t flat = std::max(warmup, ShareOfUpdates(config.flat_ratio, config.total_updates));
  const double progress = Progress(finished, flat, config.total_updates);
  const double end = EndRate(config);
  return (config.peak - end) * (1 + std::cos(kPi * progress)) / 2 + end;
}

const Registered<ScheduleType> kCosine({"cosine",
                                        "A flat part, then half a cosine down to end_rate",
                                        &FlatThenCosine,
                                        /*needs_total=*/true,
                                        {kEndRate},
                                        &CheckEndRate});

}  // namespace
}  // namespace unival
