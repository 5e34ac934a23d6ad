#include "training/optimizer/schedule.h"

#include <algorithm>

#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/optimizer/options.h"

namespace unival {
namespace {

bool IsShare(double value) { return value >= 0 && value <= 1; }

absl::Status Check(const ScheduleType& type, const ScheduleConfig& config) {
  if (!(config.peak >= 0)) return FieldError("schedule.peak", "0 or more", config.peak);
  if (!IsShare(config.warmup_ratio)) {
    return FieldError("schedule.warmup_ratio", "a share in [0, 1]", config.warmup_ratio);
  }
  if (!IsShare(config.flat_ratio)) {
    return FieldError("schedule.flat_ratio", "a share in [0, 1]", config.flat_ratio);
  }
  if (config.warmup_updates < 0) {
    return FieldError("schedule.warmup_updates", "0 or more",
                      static_cast<double>(config.warmup_updates));
  }
  if ((type.needs_total || config.warmup_ratio > 0) && config.total_updates <= 0) {
    return FieldError("schedule.total_updates", "above 0",
                      static_cast<double>(config.total_updates));
  }
  UNIVAL_RETURN_IF_ERROR(CheckOptions("schedule_option", config.option, type.options));
  return type.check == nullptr ? absl::OkStatus() : type.check(config);
}

}  // namespace

int64_t ShareOfUpdates(double ratio, int64_t total) {
  return static_cast<int64_t>(static_cast<double>(total) * ratio * (1 + 1e-7));
}

double Progress(int64_t finished, int64_t begin, int64_t end) {
  if (finished >= end) return 1;
  return std::max(0.0, static_cast<double>(finished - begin) / static_cast<double>(end - begin));
}

absl::StatusOr<Schedule> Schedule::Create(absl::string_view name, const ScheduleConfig& config) {
  UNIVAL_ASSIGN_OR_RETURN(const ScheduleType* type, Registered<ScheduleType>::Find(name));
  UNIVAL_RETURN_IF_ERROR(Check(*type, config));
  return Schedule(type, config);
}

Schedule::Schedule(const ScheduleType* type, const ScheduleConfig& config)
    : type_(type),
      config_(config),
      warmup_(config.warmup_updates > 0
                  ? config.warmup_updates
                  : ShareOfUpdates(config.warmup_ratio, config.total_updates)) {}

double Schedule::Rate(int64_t finished) const {
  if (warmup_ > 0 && finished <= warmup_) {
    return config_.peak * static_cast<double>(finished) / static_cast<double>(warmup_);
  }
  return type_->rate(config_, warmup_, finished);
}

std::vector<std::string> ScheduleNames() { return Registered<ScheduleType>::Names(); }

}  // namespace unival
