// unival: falling.h - what schedules that fall have in common: the rate that they end at.
#ifndef UNIVAL_TRAINING_OPTIMIZER_FALLING_H_
#define UNIVAL_TRAINING_OPTIMIZER_FALLING_H_

#include "absl/status/status.h"
#include "training/optimizer/schedule.h"

namespace unival {

// The schedule_option "end_rate": what a falling schedule ends at; 0 where it is not given.
inline constexpr char kEndRate[] = "end_rate";
double EndRate(const ScheduleConfig& config);

// InvalidArgument for an end rate outside [0, peak].
absl::Status CheckEndRate(const ScheduleConfig& config);

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_FALLING_H_
