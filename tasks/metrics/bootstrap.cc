#include "tasks/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/random.h"

namespace unival {
namespace {

// The samples of each unit that is drawn: a group, or one sample.
std::vector<std::vector<size_t>> UnitsOf(const ScoredMetric& metric) {
  const std::vector<int64_t> groups = metric.Groups();
  std::map<int64_t, std::vector<size_t>> units;
  for (int64_t i = 0; i < metric.samples(); ++i) {
    units[groups.empty() ? i : groups[static_cast<size_t>(i)]].push_back(static_cast<size_t>(i));
  }
  std::vector<std::vector<size_t>> list;
  for (auto& [group, samples] : units) list.push_back(std::move(samples));
  return list;
}

// How often each sample is drawn in resample `index`.
std::vector<double> DrawSamples(const std::vector<std::vector<size_t>>& units, size_t samples,
                                uint64_t seed, int index) {
  SeededRandom random(Mix(seed, static_cast<uint64_t>(index)));
  std::vector<double> draws(samples, 0);
  for (size_t k = 0; k < units.size(); ++k) {
    for (const size_t sample : units[random.Below(units.size())]) draws[sample] += 1;
  }
  return draws;
}

// Interpolates linearly between neighbours, as numpy's percentile does. `share` in [0, 1].
double Quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

Interval IntervalOf(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  return {Quantile(values, (1 - confidence) / 2), Quantile(values, (1 + confidence) / 2)};
}

void CountMoves(const std::vector<double>& a, const std::vector<double>& b,
                PairedDifference* difference) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    ++(b[i] > a[i] ? difference->higher : b[i] < a[i] ? difference->lower : difference->same);
  }
}

// The two-sided p-value: twice the smaller share of resamples on one side of 0. The observed
// difference counts as one more resample on both sides, so that the value is never 0.
double TwoSided(const std::vector<double>& differences) {
  double up = 1, down = 1;
  for (const double value : differences) {
    up += value >= 0 ? 1 : 0;
    down += value <= 0 ? 1 : 0;
  }
  return std::min(1.0, 2 * std::min(up, down) / static_cast<double>(differences.size() + 1));
}

using Scores = std::map<std::string, double>;

// For each score that both runs have: its values over all samples, the difference, and how many
// samples moved.
std::map<std::string, PairedDifference> Observed(const ScoredMetric& a, const ScoredMetric& b,
                                                 const TaskScores& facts) {
  std::map<std::string, PairedDifference> differences;
  const std::vector<double> once(static_cast<size_t>(a.samples()), 1);
  const Scores scores_a = a.Scores(once), scores_b = b.Scores(once);
  const SampleValues samples_a = a.PerSample(), samples_b = b.PerSample();
  for (const auto& [name, value] : scores_a) {
    const auto other = scores_b.find(name);
    if (other == scores_b.end()) continue;
    PairedDifference& difference = differences[name];
    difference.less_is_better = facts.LessIsBetter(name);
    difference.a = value;
    difference.b = other->second;
    difference.difference = other->second - value;
    const auto own_a = samples_a.find(name), own_b = samples_b.find(name);
    if (own_a == samples_a.end() || own_b == samples_b.end()) continue;
    CountMoves(own_a->second, own_b->second, &difference);
  }
  return differences;
}

}  // namespace

std::map<std::string, Interval> BootstrapIntervals(const ScoredMetric& metric,
                                                   const BootstrapOptions& options) {
  std::map<std::string, Interval> intervals;
  if (metric.samples() == 0 || options.resamples <= 0) return intervals;
  const auto units = UnitsOf(metric);
  std::map<std::string, std::vector<double>> values;
  for (int i = 0; i < options.resamples; ++i) {
    const auto draws = DrawSamples(units, static_cast<size_t>(metric.samples()), options.seed, i);
    for (const auto& [name, value] : metric.Scores(draws)) values[name].push_back(value);
  }
  for (auto& [name, drawn] : values) {
    intervals[name] = IntervalOf(std::move(drawn), options.confidence);
  }
  return intervals;
}

absl::StatusOr<std::map<std::string, PairedDifference>> ComparePaired(
    const ScoredMetric& a, const ScoredMetric& b, const BootstrapOptions& options,
    const TaskScores& facts) {
  if (a.samples() != b.samples()) {
    return absl::FailedPreconditionError(
        absl::StrCat("expected two runs over the same samples, got ", a.samples(), " and ",
                     b.samples(), "; score both over the same records"));
  }
  auto differences = Observed(a, b, facts);
  if (a.samples() == 0 || options.resamples <= 0) return differences;
  const auto units = UnitsOf(a);
  std::map<std::string, std::vector<double>> values;
  for (int i = 0; i < options.resamples; ++i) {
    const auto draws = DrawSamples(units, static_cast<size_t>(a.samples()), options.seed, i);
    const Scores of_a = a.Scores(draws), of_b = b.Scores(draws);
    for (const auto& [name, value] : of_a) {
      const auto other = of_b.find(name);
      if (other != of_b.end()) values[name].push_back(other->second - value);
    }
  }
  for (auto& [name, difference] : differences) {
    const std::vector<double>& drawn = values[name];
    if (drawn.empty() || difference.higher + difference.lower == 0) continue;
    difference.interval = IntervalOf(drawn, options.confidence);
    difference.p = TwoSided(drawn);
  }
  return differences;
}

}  // namespace unival
