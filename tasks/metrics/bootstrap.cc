#include "tasks/metrics/bootstrap.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/random.h"

namespace unival {
namespace {

// What is drawn: samples, or groups of them.
struct Units {
  size_t samples = 0;
  std::vector<std::vector<size_t>> groups;  // empty: each sample alone
  size_t count() const { return groups.empty() ? samples : groups.size(); }
};

Units UnitsOf(const ScoredMetric& metric) {
  Units units;
  units.samples = static_cast<size_t>(metric.samples());
  std::map<int64_t, std::vector<size_t>> by_number;
  const std::vector<int64_t> numbers = metric.Groups();
  for (size_t i = 0; i < numbers.size(); ++i) by_number[numbers[i]].push_back(i);
  for (auto& group : by_number) units.groups.push_back(std::move(group.second));
  return units;
}

// How often each sample is drawn in resample `index`.
void DrawSamples(const Units& units, uint64_t seed, int index, std::vector<double>* draws) {
  SeededRandom random(Mix(seed, static_cast<uint64_t>(index)));
  draws->assign(units.samples, 0);
  const size_t count = units.count();
  for (size_t k = 0; k < count; ++k) {
    const size_t unit = random.Below(count);
    if (units.groups.empty()) {
      (*draws)[unit] += 1;
      continue;
    }
    for (const size_t sample : units.groups[unit]) (*draws)[sample] += 1;
  }
}

// Hands over the draws of every resample in order. They are drawn on all threads, a few ahead; a
// metric belongs to one.
template <typename Take>
void ForEachResample(const Units& units, const BootstrapOptions& options, const Take& take) {
  std::vector<std::vector<double>> draws(static_cast<size_t>(std::max(1, at::get_num_threads())));
  const auto ahead = static_cast<int>(draws.size());
  for (int begin = 0; begin < options.resamples; begin += ahead) {
    const int end = std::min(options.resamples, begin + ahead);
    at::parallel_for(begin, end, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        DrawSamples(units, options.seed, static_cast<int>(i),
                    &draws[static_cast<size_t>(i - begin)]);
      }
    });
    for (int i = begin; i < end; ++i) take(draws[static_cast<size_t>(i - begin)]);
  }
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

void CountMoves(const std::vector<double>& a, const std::vector<double>& b, const Units& units,
                PairedDifference* difference) {
  std::vector<bool> moved(units.samples, false);
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    ++(b[i] > a[i] ? difference->higher : b[i] < a[i] ? difference->lower : difference->same);
    moved[i] = a[i] != b[i];
  }
  if (units.groups.empty()) {
    difference->moved_units = difference->higher + difference->lower;
    return;
  }
  for (const std::vector<size_t>& group : units.groups) {
    difference->moved_units +=
        std::any_of(group.begin(), group.end(), [&](size_t i) { return moved[i]; }) ? 1 : 0;
  }
}

// The two-sided p-value: twice the smaller share of resamples on one side of 0. The observed
// difference counts as one more resample on both sides, so that the value is never 0. A few units
// that moved one way are drawn in nearly every resample, and yet prove little: where the two runs
// are alike, each moves either way with equal chance, so that no exact test of n of them can fall
// below 2 / 2^n (Fisher, 1935).
double TwoSided(const std::vector<double>& differences, int64_t moved_units) {
  double up = 1, down = 1;
  for (const double value : differences) {
    up += value >= 0 ? 1 : 0;
    down += value <= 0 ? 1 : 0;
  }
  const double drawn = 2 * std::min(up, down) / static_cast<double>(differences.size() + 1);
  const double least = std::exp2(1 - static_cast<double>(moved_units));
  return std::min(1.0, std::max(drawn, least));
}

using Scores = std::map<std::string, double>;

// For each score that both runs have: its values over all samples, the difference, and how many
// samples moved.
std::map<std::string, PairedDifference> Observed(const ScoredMetric& a, const ScoredMetric& b,
                                                 const TaskScores& facts) {
  std::map<std::string, PairedDifference> differences;
  const Units units = UnitsOf(a);
  const std::vector<double> once(static_cast<size_t>(a.samples()), 1);
  const Scores scores_a = a.Scores(once), scores_b = b.Scores(once);
  const SampleValues samples_a = a.PerSample(), samples_b = b.PerSample();
  for (const auto& [name, value] : scores_a) {
    const auto other = scores_b.find(name);
    if (other == scores_b.end()) continue;
    PairedDifference& difference = differences[name];
    difference.less_is_better = facts.LessIsBetter(name);
    difference.remark = facts.Remark(name);
    difference.a = value;
    difference.b = other->second;
    difference.difference = other->second - value;
    const auto own_a = samples_a.find(name), own_b = samples_b.find(name);
    if (own_a == samples_a.end() || own_b == samples_b.end()) continue;
    CountMoves(own_a->second, own_b->second, units, &difference);
  }
  return differences;
}

}  // namespace

std::map<std::string, Interval> BootstrapIntervals(const ScoredMetric& metric,
                                                   const BootstrapOptions& options) {
  std::map<std::string, Interval> intervals;
  if (metric.samples() == 0 || options.resamples <= 0) return intervals;
  std::map<std::string, std::vector<double>> values;
  ForEachResample(UnitsOf(metric), options, [&](const std::vector<double>& draws) {
    for (const auto& [name, value] : metric.Scores(draws)) values[name].push_back(value);
  });
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
  std::map<std::string, std::vector<double>> values;
  ForEachResample(UnitsOf(a), options, [&](const std::vector<double>& draws) {
    const Scores of_a = a.Scores(draws), of_b = b.Scores(draws);
    for (const auto& [name, value] : of_a) {
      const auto other = of_b.find(name);
      if (other != of_b.end()) values[name].push_back(other->second - value);
    }
  });
  for (auto& [name, difference] : differences) {
    const std::vector<double>& drawn = values[name];
    if (drawn.empty() || difference.higher + difference.lower == 0) continue;
    difference.interval = IntervalOf(drawn, options.confidence);
    difference.p = TwoSided(drawn, difference.moved_units);
  }
  return differences;
}

}  // namespace unival
