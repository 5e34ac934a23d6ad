// unival: schedule.h
//
// Learning rates as a function of the number of finished updates.
//
//   ScheduleConfig config;
//   config.kind = ScheduleConfig::Kind::kPolynomial;        // linear with power 1
//   config.peak = 1e-4;
//   config.total_updates = 10000;
//   config.warmup_ratio = 0.01;
//   optimizer->Step(LearningRate(config, finished_updates));
//
// As in the reference the rate of the first update under warm-up is zero: warm-up is peak *
// finished / warm-up updates.
#ifndef UNIVAL_TRAINING_OPTIMIZER_SCHEDULE_H_
#define UNIVAL_TRAINING_OPTIMIZER_SCHEDULE_H_

#include <cstdint>

#include "absl/status/status.h"

namespace unival {

struct ScheduleConfig {
  enum class Kind {
    kConstant,    // peak after warm-up
    kPolynomial,  // from peak down to end_rate at total_updates with exponent `power`
    // Peak for the first flat_ratio of all updates (warm-up included), then half a cosine to
    // end_rate.
    kFlatThenCosine,
  };
  Kind kind = Kind::kConstant;
  double peak = 0;
  double end_rate = 0;
  double power = 1;
  double flat_ratio = 0;
  int64_t total_updates = 0;   // needed unless constant without warmup_ratio
  int64_t warmup_updates = 0;  // wins over the ratio when above 0
  double warmup_ratio = 0;     // of total_updates, rounded down
};

// InvalidArgument names the field and its value.
absl::Status CheckSchedule(const ScheduleConfig& config);

// The rate of the update that follows `finished_updates` updates. Thread-safe.
double LearningRate(const ScheduleConfig& config, int64_t finished_updates);

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_SCHEDULE_H_
