// The schedule "halving" for tests: the learning rate is halved after every `every` updates. This
// file is all that a new schedule needs (docs/plug_points.md).

#include <cmath>

#include "training/optimizer/options.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

double Halving(const ScheduleConfig& config, int64_t warmup, int64_t finished) {
  const double period = OptionOr(config.option, "every", 1000);
  return config.peak * std::pow(0.5, std::floor(static_cast<double>(finished - warmup) / period));
}

const Registered<ScheduleType> kHalving({"halving",
                                         "Half the rate after every `every` updates",
                                         &Halving,
                                         /*needs_total=*/false,
                                         {"every"}});

}  // namespace
}  // namespace unival
