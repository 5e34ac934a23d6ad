// unival: schedule.h
//
// Learning rates as a function of the number of finished updates, and the table of those that a
// plan may name.
//
//   ScheduleConfig config;
//   config.peak = 1e-4;
//   config.total_updates = 10000;
//   config.warmup_ratio = 0.01;
//   UNIVAL_ASSIGN_OR_RETURN(const Schedule schedule, Schedule::Create("linear", config));
//   optimizer->Step(schedule.Rate(finished_updates));
//
// Warm-up is the same for all: peak * finished / warm-up updates, so that, as in the reference, the
// rate of the first update is zero. What a schedule decides is the rate afterwards. A new one is a
// function in a file of its own, which ends with its entry in the table:
//
//   const Registered<ScheduleType> kHalving({"halving", "Halves every so often", &Halving});
#ifndef UNIVAL_TRAINING_OPTIMIZER_SCHEDULE_H_
#define UNIVAL_TRAINING_OPTIMIZER_SCHEDULE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/registered.h"

namespace unival {

struct ScheduleConfig {
  double peak = 0;
  double flat_ratio = 0;  // of "cosine": the share of all updates, warm-up included, at the peak
  int64_t total_updates = 0;             // needed unless constant without warmup_ratio
  int64_t warmup_updates = 0;            // wins over the ratio when above 0
  double warmup_ratio = 0;               // of total_updates, rounded down
  std::map<std::string, double> option;  // of schedules that have options of their own
};

struct ScheduleType {
  std::string name;     // lower_snake, as plans say it
  std::string summary;  // one line
  // The rate of the update that follows `finished` updates, of which `warmup` or more are over.
  // Thread-safe.
  double (*rate)(const ScheduleConfig& config, int64_t warmup, int64_t finished);
  bool needs_total = true;                // whether it depends on total_updates
  std::vector<std::string> options = {};  // names that `ScheduleConfig::option` may hold
  // InvalidArgument for values of those that do not fit; null: any fit.
  absl::Status (*check)(const ScheduleConfig& config) = nullptr;
};

class Schedule {
 public:
  // NotFound where no schedule has that name; InvalidArgument names the field and its value.
  static absl::StatusOr<Schedule> Create(absl::string_view name, const ScheduleConfig& config);

  // The rate of the update that follows `finished` updates. Thread-safe.
  double Rate(int64_t finished) const;

  double peak() const { return config_.peak; }

 private:
  Schedule(const ScheduleType* type, const ScheduleConfig& config);

  const ScheduleType* type_;
  ScheduleConfig config_;
  int64_t warmup_;  // updates
};

// Sorted.
std::vector<std::string> ScheduleNames();

// So many of `total` updates. Ratios that came through float32 still give the intended count: 0.06f
// of 50 is 3.
int64_t ShareOfUpdates(double ratio, int64_t total);

// How far `finished` is on the way from `begin` to `end`, in [0, 1].
double Progress(int64_t finished, int64_t begin, int64_t end);

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_SCHEDULE_H_
