// What parity says, in one piece: stages, verdicts, and the same figures as a table and as JSON.
#include "upstream/parity/report.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "sdk/native/tensor_text.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace parity {
namespace {

constexpr size_t kShownText = 160;  // characters of one side of a difference
constexpr int64_t kLayersPerStage = 1000;
constexpr char kFound[] = "generation";  // the stage of what search found

// The layer's number in "encoder.layer.3", or -1.
int64_t LayerOf(absl::string_view stage, absl::string_view base) {
  int64_t layer = -1;
  if (!absl::ConsumePrefix(&stage, base) || !absl::ConsumePrefix(&stage, ".")) return -1;
  return absl::SimpleAtoi(stage, &layer) && layer >= 0 ? layer : -1;
}

// Of the finite elements.
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

nlohmann::ordered_json Finite(double value) {
  if (std::isfinite(value)) return value;
  return nullptr;  // JSON has no infinity
}

std::string Verdict(const CaseResult& result) {
  if (!result.error.empty()) return "ERROR";
  if (!result.quirk.empty()) return "quirk";
  return result.ok() ? "ok" : "DIFFERS";
}

// Whether the stage's tensors come out of the backbone's products.
bool IsProduct(absl::string_view stage) {
  return StageRank(stage) >= StageRank("connection") && StageRank(stage) <= StageRank("logits");
}

// The check that is closest to its tolerance, or furthest beyond it.
const Check* Worst(const CaseResult& result) {
  const Check* worst = nullptr;
  double largest = -1;
  for (const Check& check : result.checks) {
    const double share = check.ok ? check.absolute / std::max(check.allowed, 1e-300)
                                  : std::numeric_limits<double>::infinity();
    if (worst != nullptr && (share <= largest || std::isnan(share))) continue;
    worst = &check, largest = share;
  }
  return worst;
}

}  // namespace

PrecisionBounds BoundsOf(InferencePrecision precision) {
  if (precision == InferencePrecision::kBFloat16) return {0.01, {0.02, 0.002}, 0.99};
  if (precision == InferencePrecision::kInt8) return {0.05, {0.05, 0.01}, 0.97};
  return {};
}

const std::vector<std::string>& StageNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "tokenizer",         "preprocess",     "checkpoint",     "state_dict",    "encoder",
      "connection",        "embedding",      "attention_bias", "encoder.layer", "encoder.output",
      "decoder.embedding", "decoder.layer",  "logits",         "generation",    "loss",
      "training",          "moving_average", "averaging",      "metrics"};
  return *kNames;
}

bool IsStageName(absl::string_view stage) {
  return StageRank(stage) < static_cast<int64_t>(StageNames().size()) * kLayersPerStage;
}

bool StageMatches(absl::string_view asked, absl::string_view stage) {
  return asked.empty() || asked == stage || LayerOf(stage, asked) >= 0;
}

int64_t StageRank(absl::string_view stage) {
  int64_t rank = 0;
  for (const std::string& name : StageNames()) {
    if (stage == name) return rank;
    const int64_t layer = absl::EndsWith(name, ".layer") ? LayerOf(stage, name) : -1;
    if (layer >= 0) return rank + 1 + std::min(layer, kLayersPerStage - 2);
    rank += kLayersPerStage;
  }
  return rank;
}

bool CaseResult::ok() const {
  if (!error.empty()) return false;
  return !quirk.empty() ||
         std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
}

bool Report::ok() const {
  return !cases.empty() && agreement.share() >= BoundsOf(precision).agreement &&
         std::all_of(cases.begin(), cases.end(),
                     [](const CaseResult& result) { return result.ok(); });
}

const Check* Report::FirstDivergence(const CaseResult** where) const {
  const Check* first = nullptr;
  for (const CaseResult& result : cases) {
    if (!result.quirk.empty()) continue;
    for (const Check& check : result.checks) {
      if (check.ok) continue;
      if (first != nullptr && StageRank(check.stage) >= StageRank(first->stage)) continue;
      first = &check;
      *where = &result;
    }
  }
  return first;
}

std::string Report::FirstDivergingStage() const {
  const CaseResult* where = nullptr;
  const Check* first = FirstDivergence(&where);
  return first == nullptr ? "" : first->stage;
}

nlohmann::ordered_json ToJson(const Report& report) {
  nlohmann::ordered_json json = {{"fixture", report.folder},
                                 {"stage", report.stage},
                                 {"precision", InferencePrecisionName(report.precision)},
                                 {"ok", report.ok()},
                                 {"first_diverging_stage", report.FirstDivergingStage()},
                                 {"cases", nlohmann::ordered_json::array()}};
  if (report.precision != InferencePrecision::kFloat32) {
    json["agreement"] = {{"compared", report.agreement.compared},
                         {"equal", report.agreement.equal},
                         {"at_least", BoundsOf(report.precision).agreement}};
  }
  for (const CaseResult& result : report.cases) {
    nlohmann::ordered_json entry = {{"file", result.file},
                                    {"case", result.name},
                                    {"kind", result.kind},
                                    {"result", Verdict(result)},
                                    {"seconds", result.seconds}};
    if (!result.error.empty()) entry["error"] = result.error;
    if (!result.quirk.empty()) entry["reference_quirk"] = result.quirk;
    for (const Check& check : result.checks) {
      nlohmann::ordered_json item = {{"stage", check.stage},
                                     {"field", check.field},
                                     {"ok", check.ok},
                                     {"max_absolute_error", Finite(check.absolute)},
                                     {"max_relative_error", Finite(check.relative)},
                                     {"allowed", check.allowed}};
      if (!check.note.empty()) item["note"] = check.note;
      entry["checks"].push_back(std::move(item));
    }
    json["cases"].push_back(std::move(entry));
  }
  return json;
}

namespace {

// One case: its row to `out`, and what differs in it to `details`.
void AppendCase(const CaseResult& result, std::string* out, std::string* details) {
  double absolute = 0, relative = 0;
  for (const Check& check : result.checks) {
    absolute = std::max(absolute, check.absolute), relative = std::max(relative, check.relative);
    if (check.ok || !result.quirk.empty()) continue;
    absl::StrAppendFormat(details, "  %s %s: stage %s, %s: max abs %.3g, allowed %.3g%s%s\n",
                          result.file, result.name, check.stage, check.field, check.absolute,
                          check.allowed, check.note.empty() ? "" : "; ", check.note);
  }
  const std::string name =
      result.name.empty() ? result.file : absl::StrCat(result.file, " ", result.name);
  const Check* worst = Worst(result);
  absl::StrAppendFormat(out, "%-8s %-46s %7d %11.3g %11.3g %11.3g  %s\n", Verdict(result), name,
                        result.checks.size(), absolute, relative,
                        worst == nullptr ? 0 : worst->allowed,
                        worst == nullptr ? "" : absl::StrCat(worst->stage, " ", worst->field));
  if (!result.error.empty()) {
    absl::StrAppend(details, "  ", result.file, " ", result.name, ": ", result.error, "\n");
  }
  if (!result.quirk.empty()) absl::StrAppend(out, "         (", result.quirk, ")\n");
}

void AppendAgreement(const Report& report, std::string* out) {
  if (report.precision == InferencePrecision::kFloat32) return;
  absl::StrAppendFormat(out,
                        "In %s %d of %d tokens and answers are those recorded: %.2f %%, expected "
                        "at least %.2f %%\n",
                        InferencePrecisionName(report.precision), report.agreement.equal,
                        report.agreement.compared, 100 * report.agreement.share(),
                        100 * BoundsOf(report.precision).agreement);
}

}  // namespace

std::string ToTable(const Report& report) {
  std::string out =
      absl::StrFormat("%-8s %-46s %7s %11s %11s %11s  %s\n", "result", "case", "checks", "max abs",
                      "max rel", "allowed", "closest to its bound");
  int64_t checks = 0, quirks = 0, failed = 0, errors = 0;
  std::string details;
  for (const CaseResult& result : report.cases) {
    checks += static_cast<int64_t>(result.checks.size());
    quirks += result.quirk.empty() ? 0 : 1;
    failed += result.ok() ? 0 : 1;
    errors += result.error.empty() ? 0 : 1;
    AppendCase(result, &out, &details);
  }
  if (!details.empty()) absl::StrAppend(&out, "\nDifferences:\n", details);
  absl::StrAppend(&out, "\n", report.cases.size(), " cases, ", checks, " checks, ", failed,
                  " cases differ, ", quirks, " listed as quirks of the reference\n");
  AppendAgreement(report, &out);
  const CaseResult* where = nullptr;
  const Check* first = report.FirstDivergence(&where);
  if (first != nullptr) {
    absl::StrAppend(&out, "First diverging stage: ", first->stage, " (", where->file, " ",
                    where->name, ", ", first->field, ")",
                    errors > 0 ? "; cases that could not be replayed may hide an earlier one" : "",
                    "\n");
  } else {
    absl::StrAppend(&out, report.ok()  ? "Everything agrees.\n"
                          : errors > 0 ? "Some cases could not be replayed.\n"
                                       : "Too few tokens agree.\n");
  }
  return out;
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
