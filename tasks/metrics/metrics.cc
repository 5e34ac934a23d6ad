#include "tasks/metrics/metrics.h"

#include <map>
#include <string>
#include <utility>

#include "sdk/base/status_macros.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

class CombinedMetric : public ScoredMetric {
 public:
  explicit CombinedMetric(std::vector<std::unique_ptr<Metric>> metrics)
      : metrics_(std::move(metrics)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    for (const auto& metric : metrics_) {
      UNIVAL_RETURN_IF_ERROR(metric->Add(reference, prediction));
    }
    ++samples_;
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override {
    for (const auto& metric : metrics_) metric->AddFailure(reference);
    ++samples_;
    ++failures_;
  }
  std::map<std::string, double> Result() const override {
    std::map<std::string, double> result = {{kSamplesScore, static_cast<double>(samples_)},
                                            {kFailuresScore, failures_}};
    for (const auto& metric : metrics_) result.merge(metric->Result());
    return result;
  }

  int64_t samples() const override { return samples_; }
  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    std::map<std::string, double> result;
    for (const ScoredMetric* metric : Scored()) result.merge(metric->Scores(draws));
    return result;
  }
  SampleValues PerSample() const override {
    SampleValues result;
    for (const ScoredMetric* metric : Scored()) result.merge(metric->PerSample());
    return result;
  }
  std::vector<int64_t> Groups() const override {
    for (const ScoredMetric* metric : Scored()) {
      std::vector<int64_t> groups = metric->Groups();
      if (!groups.empty()) return groups;
    }
    return {};
  }
  std::vector<MetricColumn> Columns() const override {
    std::vector<MetricColumn> columns;
    for (const ScoredMetric* metric : Scored()) {
      for (MetricColumn& column : metric->Columns()) columns.push_back(std::move(column));
    }
    return columns;
  }

 private:
  // Those that can say what each sample contributed.
  std::vector<const ScoredMetric*> Scored() const {
    std::vector<const ScoredMetric*> scored;
    for (const auto& metric : metrics_) {
      if (const ScoredMetric* one = AsScored(metric.get())) scored.push_back(one);
    }
    return scored;
  }

  const std::vector<std::unique_ptr<Metric>> metrics_;
  int64_t samples_ = 0;
  double failures_ = 0;
};

}  // namespace

absl::Status RegisterBuiltinMetrics(Registrar& registrar) {
#define UNIVAL_MAKE_FAMILY(function) function(),
  for (const auto& family : {UNIVAL_METRIC_FAMILIES(UNIVAL_MAKE_FAMILY)}) {
    for (const MetricFactory& metric : family) {
      UNIVAL_RETURN_IF_ERROR(registrar.AddMetric(metric));
    }
  }
#undef UNIVAL_MAKE_FAMILY
  return absl::OkStatus();
}

const Registry& BuiltinMetrics() {
  static const auto* const kMetrics = [] {
    auto* registry = new Registry;
    const absl::Status registered = RegisterBuiltinMetrics(*registry);
    (void)registered;  // the names differ, which metrics_test checks
    return registry;
  }();
  return *kMetrics;
}

std::unique_ptr<ScoredMetric> CombineMetrics(std::vector<std::unique_ptr<Metric>> metrics) {
  return std::make_unique<CombinedMetric>(std::move(metrics));
}

}  // namespace unival
