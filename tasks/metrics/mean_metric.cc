#include "tasks/metrics/mean_metric.h"

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

// The mean of a score over samples, in all and per `kind`.
class MeanMetric : public ScoredMetric {
 public:
  MeanMetric(std::string name, Score score, bool needs_box, ReferenceReader reader)
      : name_(std::move(name)), score_(score), needs_box_(needs_box), reader_(std::move(reader)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const References references,
                            needs_box_ ? reader_(reference) : ReadTexts(reader_, reference));
    Record(reference, score_(references, prediction));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override { Record(reference, 0); }

  int64_t samples() const override { return static_cast<int64_t>(values_.size()); }

  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    Mean all;
    std::vector<Mean> kinds(kinds_.size());
    for (size_t i = 0; i < values_.size(); ++i) {
      all.Add(values_[i], draws[i]);
      if (kind_of_[i] >= 0) kinds[static_cast<size_t>(kind_of_[i])].Add(values_[i], draws[i]);
    }
    std::map<std::string, double> result = {{name_, all.Value()}};
    for (const auto& [kind, index] : kinds_) {
      const Mean& mean = kinds[static_cast<size_t>(index)];
      if (mean.count > 0) result[NameOf(kind)] = mean.Value();
    }
    return result;
  }

  SampleValues PerSample() const override {
    SampleValues values = {{name_, values_}};
    for (const auto& [kind, index] : kinds_) {
      std::vector<double>& own = values[NameOf(kind)];
      own.assign(values_.size(), std::numeric_limits<double>::quiet_NaN());
      for (size_t i = 0; i < values_.size(); ++i) {
        if (kind_of_[i] == index) own[i] = values_[i];
      }
    }
    return values;
  }

 private:
  struct Mean {
    double sum = 0, count = 0;
    void Add(double value, double times) {
      sum += value * times;
      count += times;
    }
    double Value() const { return count > 0 ? sum / count : 0; }
  };

  std::string NameOf(const std::string& kind) const { return absl::StrCat(name_, "/kind=", kind); }

  void Record(const TaskSample& sample, double value) {
    const std::string* kind = TextColumn(sample, kKindColumn);
    values_.push_back(value);
    kind_of_.push_back(kind == nullptr
                           ? -1
                           : kinds_.emplace(*kind, static_cast<int>(kinds_.size())).first->second);
  }

  const std::string name_;
  const Score score_;
  const bool needs_box_;
  const ReferenceReader reader_;
  std::vector<double> values_;
  std::vector<int> kind_of_;          // index of each sample's kind, -1: none
  std::map<std::string, int> kinds_;  // their indices
};

}  // namespace

MetricFactory MeanMetricFactory(const std::string& name, const ScoreInfo& result,
                                const std::string& summary, Score score, bool needs_box) {
  const auto create = [own = result.name, score, needs_box](ReferenceReader reader) {
    return std::unique_ptr<Metric>(new MeanMetric(own, score, needs_box, std::move(reader)));
  };
  return {name, summary, needs_box, create, {result}};
}

}  // namespace unival
