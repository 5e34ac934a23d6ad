#include "training/optimizer/falling.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "training/optimizer/options.h"

namespace unival {

double EndRate(const ScheduleConfig& config) { return OptionOr(config.option, kEndRate, 0); }

absl::Status CheckEndRate(const ScheduleConfig& config) {
  const double end = EndRate(config);
  if (end >= 0 && end <= config.peak) return absl::OkStatus();
  return FieldError("schedule_option end_rate", absl::StrCat("0 to the peak, ", config.peak), end);
}

}  // namespace unival
