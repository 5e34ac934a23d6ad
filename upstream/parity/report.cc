// The figures of a run as a table and as JSON.
#include "upstream/parity/report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace unival {
namespace parity {
namespace {

nlohmann::ordered_json Finite(double value) {
  if (std::isfinite(value)) return value;
  return nullptr;  // JSON has no infinity
}

std::string Verdict(const CaseResult& result) {
  if (!result.error.empty()) return "ERROR";
  if (!result.quirk.empty()) return "quirk";
  return result.ok() ? "ok" : "DIFFERS";
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

}  // namespace parity
}  // namespace unival
