#include "training/evaluation/scoring.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metrics.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

// The metric of that name, over words made as asked for where it is one of captions.
absl::StatusOr<MetricFactory> FindFactory(const std::string& name, const Registry& registry,
                                          CaptionWords words) {
  UNIVAL_ASSIGN_OR_RETURN(const MetricFactory* found, registry.FindMetric(name));
  for (MetricFactory& factory : CaptionMetricsOver(words)) {
    if (factory.name == name) return factory;
  }
  return *found;
}

// Where the layout of `input` says what is in a column.
std::string ColumnPlace(const ScoreInput& input, const std::string& column) {
  if (input.layout == "predictions") return absl::StrCat("the field \"", column, "\" of its line");
  const std::string plural = column == kObjectsColumn ? column : absl::StrCat(column, "s");
  return absl::StrCat("\"", plural, "\" by id, in a file with references and candidates");
}

// What a metric reads of a record beside the answer; not every layout has it.
absl::Status CheckColumns(const ScoreInput& input, const ScoredMetric& metric) {
  for (const MetricColumn& column : metric.Columns()) {
    for (size_t i = 0; i < input.samples.size(); ++i) {
      if (input.failed[i] || HoldsColumn(input.samples[i], column)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          column.metric, " needs \"", column.name, "\" with ", HeldBy(column),
          " for every answer, got none for \"", input.samples[i].key, "\"; write it as ",
          ColumnPlace(input, column.name), ", or leave the metric out"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ScoredMetric>> MetricOver(const ScoreInput& input,
                                                         const Registry& registry,
                                                         const ScoringOptions& options) {
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const std::string& name : options.metrics.empty() ? input.metrics : options.metrics) {
    UNIVAL_ASSIGN_OR_RETURN(const MetricFactory factory,
                            FindFactory(name, registry, options.words));
    metrics.push_back(factory.create(&ReferencesOfInput));
  }
  std::unique_ptr<ScoredMetric> metric = CombineMetrics(std::move(metrics));
  UNIVAL_RETURN_IF_ERROR(CheckColumns(input, *metric));
  for (size_t i = 0; i < input.samples.size(); ++i) {
    if (input.failed[i]) {
      metric->AddFailure(input.samples[i]);
    } else {
      UNIVAL_RETURN_IF_ERROR(metric->Add(input.samples[i], input.predictions[i]));
    }
  }
  return metric;
}

// `input` with its entries in the order of `keys`.
absl::StatusOr<ScoreInput> InOrder(const ScoreInput& input, const std::vector<TaskSample>& keys) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < input.samples.size(); ++i) places.emplace(input.samples[i].key, i);
  ScoreInput ordered;
  ordered.layout = input.layout;
  ordered.metrics = input.metrics;
  for (const TaskSample& key : keys) {
    const auto found = places.find(key.key);
    if (found == places.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("expected an answer to \"", key.key,
                       "\" in both files, got one in the first alone; answer the same records "
                       "with both"));
    }
    ordered.samples.push_back(key);  // both files have the first one's references
    ordered.predictions.push_back(input.predictions[found->second]);
    ordered.failed.push_back(input.failed[found->second]);
  }
  return ordered;
}

void CompareOne(double expected, double actual, const std::string& name, ExpectedCheck* check) {
  const double difference = std::abs(expected - actual);
  ++check->compared;
  if (difference <= check->largest_difference) return;
  check->largest_difference = difference;
  check->at = name;
}

// `computed`: by name, whatever of.
template <typename Scores>
absl::Status CheckNamesAmong(const std::map<std::string, double>& expected, const Scores& computed,
                             const std::string& where, bool is_chosen) {
  for (const auto& stated : expected) {
    const std::string& name = stated.first;
    if (computed.count(name) > 0 || (is_chosen && IsScoreName(name))) continue;
    const std::string there = absl::StrJoin(
        computed, ", ", [](std::string* out, const auto& one) { out->append(one.first); });
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": expected scores that are computed, got \"", name, "\"; there are: ", there,
        "; correct the name, take it out, or name its metric with --metrics"));
  }
  return absl::OkStatus();
}

}  // namespace

std::map<std::string, ScoreValue> ScoresWithIntervals(const Metric& metric,
                                                      const BootstrapOptions& options,
                                                      const TaskScores& facts) {
  std::map<std::string, ScoreValue> scores;
  for (const auto& [name, value] : metric.Result()) {
    scores[name].value = value;
    scores[name].less_is_better = facts.LessIsBetter(name);
    scores[name].remark = facts.Remark(name);
  }
  const ScoredMetric* scored = AsScored(&metric);
  if (scored == nullptr) return scores;
  for (const auto& [name, interval] : BootstrapIntervals(*scored, options)) {
    const auto found = scores.find(name);
    if (found != scores.end()) found->second.interval = interval;
  }
  return scores;
}

absl::StatusOr<ScoredInput> ScoreAnswers(ScoreInput input, const Registry& registry,
                                         const ScoringOptions& options) {
  ScoredInput scored;
  UNIVAL_ASSIGN_OR_RETURN(scored.metric, MetricOver(input, registry, options));
  scored.scores = ScoresWithIntervals(*scored.metric, options.bootstrap, TaskScores(registry));
  scored.input = std::move(input);
  return scored;
}

absl::StatusOr<std::map<std::string, PairedDifference>> CompareAnswers(
    const ScoreInput& a, const ScoreInput& b, const Registry& registry,
    const ScoringOptions& options) {
  if (b.samples.size() != a.samples.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("expected two files with answers to the same records, got ", a.samples.size(),
                     " and ", b.samples.size(), " answers; answer the same records with both"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const ScoreInput ordered, InOrder(b, a.samples));
  UNIVAL_ASSIGN_OR_RETURN(const auto of_a, MetricOver(a, registry, options));
  UNIVAL_ASSIGN_OR_RETURN(const auto of_b, MetricOver(ordered, registry, options));
  return ComparePaired(*of_a, *of_b, options.bootstrap, TaskScores(registry));
}

absl::Status CheckExpectedNames(const ScoredInput& scored, const ScoringOptions& options) {
  const bool is_chosen = !options.metrics.empty();
  UNIVAL_RETURN_IF_ERROR(
      CheckNamesAmong(scored.input.expected, scored.scores, "\"expected\"", is_chosen));
  const SampleValues values = scored.metric->PerSample();
  for (const auto& [id, expected] : scored.input.expected_per_sample) {
    const std::string where = absl::StrCat("\"per_image\", \"", id, "\"");
    UNIVAL_RETURN_IF_ERROR(CheckNamesAmong(expected, values, where, is_chosen));
  }
  return absl::OkStatus();
}

ExpectedCheck CompareWithExpected(const ScoredInput& scored) {
  ExpectedCheck check;
  for (const auto& [name, expected] : scored.input.expected) {
    const auto found = scored.scores.find(name);
    if (found != scored.scores.end()) CompareOne(expected, found->second.value, name, &check);
  }
  const SampleValues values = scored.metric->PerSample();
  for (size_t i = 0; i < scored.input.samples.size(); ++i) {
    const std::string& id = scored.input.samples[i].key;
    const auto own = scored.input.expected_per_sample.find(id);
    if (own == scored.input.expected_per_sample.end()) continue;
    for (const auto& [name, expected] : own->second) {
      const auto found = values.find(name);
      if (found == values.end()) continue;
      CompareOne(expected, found->second[i], absl::StrCat(name, " of ", id), &check);
    }
  }
  return check;
}

}  // namespace unival
