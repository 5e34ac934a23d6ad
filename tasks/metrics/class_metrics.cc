// Metrics of closed answers that look at classes, or at records that belong together.
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/normalize_text.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

// Whether an answer is right, and the number of the class or group that its sample is in.
class GroupedMetric : public ScoredMetric {
 public:
  explicit GroupedMetric(ReferenceReader reader) : reader_(std::move(reader)) {}

  int64_t samples() const override { return static_cast<int64_t>(right_.size()); }

 protected:
  void Record(const std::string& group, double right) {
    group_of_.push_back(numbers_.emplace(group, numbers_.size()).first->second);
    right_.push_back(right);
  }

  static double IsRight(const References& references, const Prediction& prediction) {
    const std::string said = NormalizeText(prediction.text, true);
    return std::any_of(references.texts.begin(), references.texts.end(),
                       [&](const auto& text) { return NormalizeText(text, true) == said; })
               ? 1
               : 0;
  }

  const ReferenceReader reader_;
  std::vector<double> right_;
  std::vector<size_t> group_of_;
  std::map<std::string, size_t> numbers_;
};

class ClassBalancedAccuracy : public GroupedMetric {
 public:
  using GroupedMetric::GroupedMetric;

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const References references, ReadTexts(reader_, reference));
    Record(NormalizeText(references.texts[0], true), IsRight(references, prediction));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override {
    const absl::StatusOr<References> references = ReadTexts(reader_, reference);
    Record(references.ok() ? NormalizeText(references->texts[0], true) : "", 0);
  }

  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    std::vector<double> right(numbers_.size(), 0), count(numbers_.size(), 0);
    for (size_t i = 0; i < right_.size(); ++i) {
      right[group_of_[i]] += draws[i] * right_[i];
      count[group_of_[i]] += draws[i];
    }
    double sum = 0, classes = 0;
    for (size_t k = 0; k < count.size(); ++k) {
      if (count[k] == 0) continue;
      sum += right[k] / count[k];
      classes += 1;
    }
    return {{"class_balanced_accuracy", classes > 0 ? sum / classes : 0}};
  }
  SampleValues PerSample() const override { return {{"class_balanced_accuracy", right_}}; }
};

class Consistency : public GroupedMetric {
 public:
  using GroupedMetric::GroupedMetric;

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const References references, ReadTexts(reader_, reference));
    const absl::optional<std::string> group = GroupOf(reference);
    if (!group.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(reference.key,
                       ": expected text column \"group\", which names the records "
                       "that must all be right; add it"));
    }
    Record(*group, IsRight(references, prediction));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override {
    Record(GroupOf(reference).value_or(""), 0);
  }

  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    const std::vector<double> right = RightGroups();
    std::vector<double> times(right.size(), 0);
    for (size_t i = 0; i < right_.size(); ++i) {
      times[group_of_[i]] = std::max(times[group_of_[i]], draws[i]);
    }
    double sum = 0, count = 0;
    for (size_t k = 0; k < right.size(); ++k) {
      sum += times[k] * right[k];
      count += times[k];
    }
    return {{"consistency", count > 0 ? sum / count : 0}};
  }
  SampleValues PerSample() const override {
    const std::vector<double> right = RightGroups();
    SampleValues values;
    std::vector<double>& own = values["consistency"];
    for (const size_t group : group_of_) own.push_back(right[group]);
    return values;
  }
  std::vector<int64_t> Groups() const override { return {group_of_.begin(), group_of_.end()}; }
  std::vector<MetricColumn> Columns() const override { return {{kGroupColumn, "consistency"}}; }

 private:
  // By group: 1 where all of its samples are right.
  std::vector<double> RightGroups() const {
    std::vector<double> right(numbers_.size(), 1);
    for (size_t i = 0; i < right_.size(); ++i) {
      right[group_of_[i]] = std::min(right[group_of_[i]], right_[i]);
    }
    return right;
  }
};

template <typename Kind>
MetricFactory GroupedFactory(const char* name, const char* summary) {
  return {
      name,
      summary,
      /*needs_box=*/false,
      [](ReferenceReader reader) { return std::unique_ptr<Metric>(new Kind(std::move(reader))); },
      {ScoreInfo{name}}};
}

}  // namespace

std::vector<MetricFactory> ClassMetrics() {
  return {GroupedFactory<ClassBalancedAccuracy>(
              "class_balanced_accuracy",
              "mean over classes, the first references, of the accuracy within each"),
          GroupedFactory<Consistency>(
              "consistency",
              "share of groups, by column `group`, all of whose answers are right: NLVR's second "
              "score")};
}

}  // namespace unival
