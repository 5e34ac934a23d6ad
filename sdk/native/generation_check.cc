#include "sdk/native/generation_check.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Far beyond what any model's positions hold.
constexpr int32_t kMaxTokens = 1 << 24;
// Below, logits divided by it leave the range of numbers; above, all tokens are alike.
constexpr float kMinTemperature = 1e-3f, kMaxTemperature = 1e3f;
// A length to the power of more, or log-probabilities with more on them, are no scores any longer.
constexpr float kMaxPenalty = 1e3f, kMaxExponent = 100;

absl::Status CheckCount(const char* field, int32_t value) {
  if (value >= 0 && value <= kMaxTokens) return absl::OkStatus();
  if (value < 0) return FieldError(field, "0 or more", value);
  return FieldError(field, absl::StrCat("0 to ", kMaxTokens), value);
}

absl::Status CheckCounts(const GenerationConfig& config) {
  const std::pair<const char*, int32_t> counts[] = {
      {"generation.max_tokens", config.max_tokens()},
      {"generation.min_tokens", config.min_tokens()},
      {"generation.no_repeat_ngram", config.no_repeat_ngram()},
      {"generation.top_k", config.top_k()},
      {"generation.n_best", config.n_best()}};
  for (const auto& [field, value] : counts) {
    UNIVAL_RETURN_IF_ERROR(CheckCount(field, value));
  }
  if (config.max_tokens() == 0 || config.min_tokens() <= config.max_tokens()) {
    return absl::OkStatus();
  }
  return FieldError("generation.min_tokens",
                    absl::StrCat("at most generation.max_tokens, ", config.max_tokens()),
                    config.min_tokens());
}

absl::Status CheckWithin(const char* field, float value, float least, float most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return FieldError(field, absl::StrCat("a number from ", least, " to ", most), value);
}

absl::Status CheckNumbers(const GenerationConfig& config) {
  const float temperature = config.temperature();
  if (!(temperature >= 0)) return FieldError("generation.temperature", "0 or more", temperature);
  if (temperature != 0 && !(temperature >= kMinTemperature && temperature <= kMaxTemperature)) {
    return FieldError(
        "generation.temperature",
        absl::StrCat("0, or a number from ", kMinTemperature, " to ", kMaxTemperature),
        temperature);
  }
  if (!(config.top_p() >= 0 && config.top_p() <= 1)) {
    return FieldError("generation.top_p", "a share in [0, 1]", config.top_p());
  }
  UNIVAL_RETURN_IF_ERROR(CheckWithin("generation.length_penalty", config.length_penalty(),
                                     -kMaxExponent, kMaxExponent));
  return CheckWithin("generation.unk_penalty", config.unk_penalty(), -kMaxPenalty, kMaxPenalty);
}

}  // namespace

absl::Status CheckGenerationConfig(const GenerationConfig& config) {
  if (config.beam() != 0 && (config.beam() < kMinBeam || config.beam() > kMaxBeam)) {
    return FieldError("generation.beam", absl::StrCat(kMinBeam, " to ", kMaxBeam), config.beam());
  }
  UNIVAL_RETURN_IF_ERROR(CheckCounts(config));
  return CheckNumbers(config);
}

}  // namespace unival
