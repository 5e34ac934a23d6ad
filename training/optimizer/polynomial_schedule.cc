// The schedule "polynomial": from the peak down to end_rate at total_updates, with the exponent
// `power`: (peak - end_rate) * (1 - progress)^power + end_rate. With power 1 it is "linear".

#include <cmath>

#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/optimizer/falling.h"
#include "training/optimizer/options.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

constexpr char kPower[] = "power";

double Power(const ScheduleConfig& config) { return OptionOr(config.option, kPower, 1); }

double Polynomial(const ScheduleConfig& config, int64_t warmup, int64_t finished) {
  const double end = EndRate(config);
  const double left = 1 - Progress(finished, warmup, config.total_updates);
  return (config.peak - end) * std::pow(left, Power(config)) + end;
}

absl::Status CheckPolynomial(const ScheduleConfig& config) {
  const double power = Power(config);
  if (!(power > 0 && std::isfinite(power))) {
    return FieldError("schedule_option power", "above 0", power);
  }
  return CheckEndRate(config);
}

const Registered<ScheduleType> kPolynomial({"polynomial",
                                            "Warm-up, then down to end_rate by a power",
                                            &Polynomial,
                                            /*needs_total=*/true,
                                            {kPower, kEndRate},
                                            &CheckPolynomial});

}  // namespace
}  // namespace unival
