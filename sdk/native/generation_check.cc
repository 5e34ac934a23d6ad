#include "sdk/native/generation_check.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

// Far more tokens than any model has positions.
constexpr int32_t kMaxTokens = 1 << 24;
// With a smaller temperature the divided logits overflow; with a larger one all tokens become
// equally likely.
constexpr float kMinTemperature = 1e-3f, kMaxTemperature = 1e3f;
// With larger values, the length to this power, or the log-probability plus this penalty, is not a
// useful score.
constexpr float kMaxPenalty = 1e3f, kMaxExponent = 100;

absl::Status CheckCount(const char* field, int32_t value) {
  if (value >= 0 && value <= kMaxTokens) return absl::OkStatus();
  if (value < 0) return FieldError(field, "0 or more", value);
  return FieldError(field, absl::StrCat("0 to ", kMaxTokens), value);
}

absl::Status CheckBeam(const GenerationConfig& config) {
  if (config.beam() == 0 || (config.beam() >= kMinBeam && config.beam() <= kMaxBeam)) {
    return absl::OkStatus();
  }
  return FieldError("generation.beam", absl::StrCat(kMinBeam, " to ", kMaxBeam), config.beam());
}

// Without max_tokens the bound depends on the target: CheckLeastTokens.
absl::Status CheckLeast(const GenerationConfig& config) {
  if (config.max_tokens() <= 0 || config.min_tokens() <= config.max_tokens()) {
    return absl::OkStatus();
  }
  return FieldError("generation.min_tokens",
                    absl::StrCat("at most generation.max_tokens, ", config.max_tokens()),
                    config.min_tokens());
}

absl::Status CheckTemperature(float temperature) {
  if (!(temperature >= 0)) return FieldError("generation.temperature", "0 or more", temperature);
  if (temperature == 0 || (temperature >= kMinTemperature && temperature <= kMaxTemperature)) {
    return absl::OkStatus();
  }
  return FieldError("generation.temperature",
                    absl::StrCat("0, or a number from ", kMinTemperature, " to ", kMaxTemperature),
                    temperature);
}

absl::Status CheckTopP(float top_p) {
  if (top_p >= 0 && top_p <= 1) return absl::OkStatus();
  return FieldError("generation.top_p", "a share in [0, 1]", top_p);
}

absl::Status CheckWithin(const char* field, float value, float least, float most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return FieldError(field, absl::StrCat("a number from ", least, " to ", most), value);
}

}  // namespace

std::vector<absl::Status> GenerationFaults(const GenerationConfig& config) {
  std::vector<absl::Status> faults;
  const auto add = [&faults](absl::Status status) {
    if (!status.ok()) faults.push_back(std::move(status));
  };
  add(CheckBeam(config));
  add(CheckCount("generation.max_tokens", config.max_tokens()));
  add(CheckCount("generation.min_tokens", config.min_tokens()));
  add(CheckCount("generation.no_repeat_ngram", config.no_repeat_ngram()));
  add(CheckCount("generation.top_k", config.top_k()));
  add(CheckCount("generation.n_best", config.n_best()));
  add(CheckLeast(config));
  add(CheckTemperature(config.temperature()));
  add(CheckTopP(config.top_p()));
  add(CheckWithin("generation.length_penalty", config.length_penalty(), -kMaxExponent,
                  kMaxExponent));
  add(CheckWithin("generation.unk_penalty", config.unk_penalty(), -kMaxPenalty, kMaxPenalty));
  return faults;
}

absl::Status CheckGenerationConfig(const GenerationConfig& config) {
  const std::vector<absl::Status> faults = GenerationFaults(config);
  return faults.empty() ? absl::OkStatus() : faults.front();
}

bool IsLikeliestOnly(const GenerationConfig& config) {
  return config.has_temperature() && config.temperature() == 0 && !config.score_candidates();
}

absl::Status CheckGenerationTogether(const GenerationConfig& config) {
  constexpr absl::string_view kField = "generation.n_best";
  const int32_t count = config.n_best();
  // The answers of a closed set are scored anyway: n_best computes no row of its own there.
  if (config.score_candidates() || count <= 1) return absl::OkStatus();
  if (count > kMaxBeam) return FieldError(kField, absl::StrCat("at most ", kMaxBeam), count);
  if (IsLikeliestOnly(config)) {
    return FieldError(kField, "1, as temperature 0 gives one answer", count,
                      "to draw several, set a temperature above 0");
  }
  const int32_t beam = std::max(1, config.beam());
  if (config.sample() || count <= beam) return absl::OkStatus();
  return FieldError(kField, absl::StrCat("at most generation.beam, ", beam), count,
                    "raise beam, or lower n_best");
}

absl::Status CheckLeastTokens(const GenerationConfig& config, int64_t most) {
  if (config.max_tokens() != 0 || config.min_tokens() <= most) return absl::OkStatus();
  return FieldError("generation.min_tokens",
                    absl::StrCat("at most ", most, ", as max_tokens is not set"),
                    config.min_tokens(), "set max_tokens, too");
}

}  // namespace unival
