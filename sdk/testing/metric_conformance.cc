// Conformance of metrics.
#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/native/registry.h"
#include "sdk/testing/checker.h"

namespace unival {
namespace {

using Results = std::map<std::string, double>;

References ReferencesOf(int sample) {
  return {{sample % 2 == 0 ? "a red circle" : "two"}, {{0, 0, 0.5, 0.5}}};
}

// The metric's results after two answers, the second of them wrong, and `failures` failures.
absl::StatusOr<Results> After(const MetricFactory& factory, int failures) {
  int asked = 0;
  const auto metric = factory.create(
      [&asked](const TaskSample&) -> absl::StatusOr<References> { return ReferencesOf(asked++); });
  Prediction answer;
  answer.text = "a red circle";
  answer.box = {{0, 0, 0.5, 0.5}};
  for (int i = 0; i < 2; ++i) {
    const absl::Status added = metric->Add({absl::StrCat("sample ", i), {}}, answer);
    if (!added.ok()) return added;
  }
  for (int i = 0; i < failures; ++i) metric->AddFailure({absl::StrCat("failure ", i), {}});
  return metric->Result();
}

Finding Finite(const absl::StatusOr<Results>& results) {
  if (!results.ok()) return std::string(results.status().message());
  if (results->empty()) return "Result() is empty";
  for (const auto& [name, value] : *results) {
    if (!std::isfinite(value)) return absl::StrCat(name, " is ", value);
  }
  return "";
}

// Each described score must be a score of the metric: any other description has no effect.
Finding Declared(const MetricFactory& factory, const Results& results) {
  for (const ScoreInfo& score : factory.scores) {
    if (results.count(score.name) > 0) continue;
    return absl::StrCat("it describes the score ", score.name, ", and gives ",
                        absl::StrJoin(results, ", ", [](std::string* out, const auto& result) {
                          absl::StrAppend(out, result.first);
                        }));
  }
  return "";
}

}  // namespace

ConformanceReport CheckMetric(const MetricFactory& factory, RuleObserver* observer) {
  Checker checker(absl::StrCat("metric ", factory.name), observer);
  checker.Run("description", [&] { return factory.summary.empty() ? "no summary" : ""; });
  checker.Run("no_answers", [&] {
    return Finite(factory.create([](const TaskSample&) { return ReferencesOf(0); })->Result());
  });
  checker.Run("answers", [&] { return Finite(After(factory, 0)); });
  if (!checker.ok()) return checker.Take();  // the other rules would only fail for the same reason
  checker.Run("scores_as_declared", [&] { return Declared(factory, *After(factory, 0)); });
  checker.Run("failures_count", [&]() -> Finding {
    const auto failed = After(factory, 2);
    if (const Finding finding = Finite(failed); !finding.empty()) return finding;
    return *failed != *After(factory, 0) ? "" : "failures change nothing";
  });
  checker.Run("determinism", [&] {
    return *After(factory, 1) == *After(factory, 1) ? "" : "the same answers gave other values";
  });
  return checker.Take();
}

}  // namespace unival
