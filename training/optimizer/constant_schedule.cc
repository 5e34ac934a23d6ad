// The schedule "constant": the peak after warm-up.

#include "training/optimizer/schedule.h"

namespace unival {
namespace {

double Constant(const ScheduleConfig& config, int64_t, int64_t) { return config.peak; }

const Registered<ScheduleType> kConstant({"constant", "The peak after warm-up", &Constant,
                                          /*needs_total=*/false});

}  // namespace
}  // namespace unival
