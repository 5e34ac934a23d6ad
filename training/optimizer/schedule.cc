#include "training/optimizer/schedule.h"

#include <algorithm>
#include <cmath>

#include "sdk/base/status.h"

namespace unival {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Ratios that came through float32 must still give the intended count: 0.06f of 50 is 3.
int64_t Share(double ratio, int64_t total) {
  return static_cast<int64_t>(static_cast<double>(total) * ratio * (1 + 1e-7));
}

int64_t WarmupUpdates(const ScheduleConfig& config) {
  return config.warmup_updates > 0 ? config.warmup_updates
                                   : Share(config.warmup_ratio, config.total_updates);
}

// How far `finished` is on the way from `begin` to the end of training, in [0, 1].
double Progress(int64_t finished, int64_t begin, int64_t end) {
  if (finished >= end) return 1;
  return std::max(0.0, static_cast<double>(finished - begin) / static_cast<double>(end - begin));
}

bool IsShare(double value) { return value >= 0 && value <= 1; }

}  // namespace

absl::Status CheckSchedule(const ScheduleConfig& config) {
  if (!(config.peak >= 0)) return FieldError("schedule.peak", "0 or more", config.peak);
  if (!(config.end_rate >= 0)) return FieldError("schedule.end_rate", "0 or more", config.end_rate);
  if (!(config.power > 0)) return FieldError("schedule.power", "above 0", config.power);
  if (!IsShare(config.warmup_ratio)) {
    return FieldError("schedule.warmup_ratio", "a share in [0, 1]", config.warmup_ratio);
  }
  if (!IsShare(config.flat_ratio)) {
    return FieldError("schedule.flat_ratio", "a share in [0, 1]", config.flat_ratio);
  }
  if (config.warmup_updates < 0) {
    return FieldError("schedule.warmup_updates", "0 or more", static_cast<double>(config.warmup_updates));
  }
  const bool needs_total =
      config.kind != ScheduleConfig::Kind::kConstant || config.warmup_ratio > 0;
  if (needs_total && config.total_updates <= 0) {
    return FieldError("schedule.total_updates", "above 0", static_cast<double>(config.total_updates));
  }
  return absl::OkStatus();
}

double LearningRate(const ScheduleConfig& config, int64_t finished_updates) {
  const int64_t warmup = WarmupUpdates(config);
  if (warmup > 0 && finished_updates <= warmup) {
    return config.peak * static_cast<double>(finished_updates) / static_cast<double>(warmup);
  }
  const double range = config.peak - config.end_rate;
  switch (config.kind) {
    case ScheduleConfig::Kind::kConstant:
      return config.peak;
    case ScheduleConfig::Kind::kPolynomial: {
      const double progress = Progress(finished_updates, warmup, config.total_updates);
      return range * std::pow(1 - progress, config.power) + config.end_rate;
    }
    case ScheduleConfig::Kind::kFlatThenCosine: {
      const int64_t flat = std::max(warmup, Share(config.flat_ratio, config.total_updates));
      const double progress = Progress(finished_updates, flat, config.total_updates);
      return range * (1 + std::cos(kPi * progress)) / 2 + config.end_rate;
    }
  }
  return config.peak;
}

}  // namespace unival
