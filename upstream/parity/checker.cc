// What a case is held against: each check with its bound, and what it found.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/native/tensor_text.h"
#include "sdk/testing/golden.h"
#include "upstream/parity/report.h"

namespace unival {
namespace parity {
namespace {

constexpr size_t kShownText = 160;       // characters of one side of a difference
constexpr char kFound[] = "generation";  // the stage of what search found

// The largest absolute value of the finite elements.
double LargestMagnitude(const at::Tensor& x) {
  const at::Tensor values = x.to(at::kDouble);
  const at::Tensor finite = values.masked_select(values.isfinite());
  return finite.numel() == 0 ? 0 : finite.abs().max().item<double>();
}

// MaxDifference, but infinities that stand at the same places count as equal. Nothing equals a
// recorded NaN.
double Difference(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes()) return MaxDifference(actual, expected);
  const at::Tensor same = actual.to(at::kDouble).eq(expected.to(at::kDouble));
  const at::Tensor left = expected.isfinite().logical_or(same.logical_not());
  return MaxDifference(actual.masked_select(left), expected.masked_select(left));
}

std::string Cut(std::string text) {
  if (text.size() > kShownText) text = text.substr(0, kShownText) + "...";
  return text;
}

// Whether the stage's tensors come out of the backbone's products.
bool IsProduct(absl::string_view stage) {
  return StageRank(stage) >= StageRank("connection") && StageRank(stage) <= StageRank("logits");
}

}  // namespace

PrecisionBounds BoundsOf(InferencePrecision precision) {
  if (precision == InferencePrecision::kBFloat16) return {0.01, {0.02, 0.002}, 0.99};
  if (precision == InferencePrecision::kInt8) return {0.05, {0.05, 0.01}, 0.97};
  return {};
}

void Checker::Add(Check check) {
  if (Wants(check.stage)) result_.checks.push_back(std::move(check));
}

void Checker::Tensor(const std::string& stage, const std::string& field, const at::Tensor& actual,
                     const at::Tensor& expected, const Tolerance& tolerance,
                     const at::Tensor& valid) {
  if (!Wants(stage)) return;
  Check check{stage, field, Difference(actual, expected), 0, 0, false, ""};
  const double magnitude = LargestMagnitude(expected);
  check.allowed = tolerance.absolute + tolerance.relative * magnitude;
  if (IsProduct(stage)) check.allowed = std::max(check.allowed, bounds_.activation * magnitude);
  if (actual.sizes() != expected.sizes()) {
    check.note = absl::StrCat("expected shape ", ShapeText(expected), ", got ", ShapeText(actual));
  } else if (valid.defined() && check.absolute > check.allowed) {
    check.note = absl::StrFormat("padding differs by %.3g, which is masked", check.absolute);
    check.absolute = Difference(actual.index({valid}), expected.index({valid}));
  }
  check.relative = magnitude > 0 ? check.absolute / magnitude : check.absolute;
  check.ok = std::isfinite(check.absolute) && check.absolute <= check.allowed;
  Add(std::move(check));
}

void Checker::Number(const std::string& stage, const std::string& field, double actual,
                     double expected, const Tolerance& tolerance) {
  Check check{stage, field, std::abs(actual - expected), 0, 0, false, ""};
  if (!std::isfinite(check.absolute)) check.absolute = std::numeric_limits<double>::infinity();
  check.relative = expected != 0 ? check.absolute / std::abs(expected) : check.absolute;
  check.allowed = tolerance.absolute + tolerance.relative * std::abs(expected);
  check.ok = std::isfinite(check.absolute) && check.absolute <= check.allowed;
  if (!check.ok) check.note = absl::StrFormat("expected %.9g, got %.9g", expected, actual);
  stage == kFound ? AddFound(std::move(check)) : Add(std::move(check));
}

void Checker::Score(const std::string& field, double actual, double expected) {
  constexpr double kAllowed = 1e-4;
  Check check{kFound, field, std::abs(actual - expected), 0, 0, false, ""};
  if (!std::isfinite(check.absolute)) check.absolute = std::numeric_limits<double>::infinity();
  check.relative = expected != 0 ? check.absolute / std::abs(expected) : check.absolute;
  check.allowed =
      std::max(kAllowed, bounds_.score.absolute + bounds_.score.relative * std::abs(expected));
  check.ok = check.absolute <= check.allowed;
  if (!check.ok) check.note = absl::StrFormat("expected %.9g, got %.9g", expected, actual);
  Add(std::move(check));
}

void Checker::Tokens(const std::string& field, int64_t rank, const std::vector<int64_t>& actual,
                     const std::vector<int64_t>& expected) {
  if (is_exact_) return EqualJson(kFound, field, actual, expected);
  if (rank > 0 || !Wants(kFound)) return;
  const size_t both = std::min(actual.size(), expected.size());
  int64_t equal = 0;
  for (size_t i = 0; i < both; ++i) equal += actual[i] == expected[i] ? 1 : 0;
  const auto compared = static_cast<int64_t>(std::max(actual.size(), expected.size()));
  agreement_.compared += compared;
  agreement_.equal += equal;
  Add({kFound, field, 0, 0, 0, true, absl::StrCat(equal, " of ", compared, " equal")});
}

void Checker::AddFound(Check check) {
  if (!is_exact_ && Wants(kFound)) {
    ++agreement_.compared;
    agreement_.equal += check.ok ? 1 : 0;
    check.absolute = check.relative = 0;
    check.ok = true;
  }
  Add(std::move(check));
}

void Checker::Equal(const std::string& stage, const std::string& field, bool equal,
                    const std::string& note) {
  const double distance = equal ? 0 : std::numeric_limits<double>::infinity();
  Check check{stage, field, distance, distance, 0, equal, equal ? "" : Cut(note)};
  stage == kFound ? AddFound(std::move(check)) : Add(std::move(check));
}

void Checker::EqualJson(const std::string& stage, const std::string& field,
                        const nlohmann::json& actual, const nlohmann::json& expected) {
  const bool equal = actual == expected;
  const auto shown = [](const nlohmann::json& json) {
    return Cut(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  };
  Check check{stage, field, 0, 0, 0, equal, ""};
  if (!equal) {
    check.absolute = check.relative = std::numeric_limits<double>::infinity();
    check.note = absl::StrCat("expected ", shown(expected), ", got ", shown(actual));
  }
  stage == kFound ? AddFound(std::move(check)) : Add(std::move(check));
}

}  // namespace parity
}  // namespace unival
