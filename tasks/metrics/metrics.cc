#include "tasks/metrics/metrics.h"

#include <map>
#include <string>
#include <utility>

#include "sdk/base/status_macros.h"
#include "tasks/metrics/families.h"

namespace unival {
namespace {

class CombinedMetric : public Metric {
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
    std::map<std::string, double> result = {{"samples", samples_}, {"failures", failures_}};
    for (const auto& metric : metrics_) result.merge(metric->Result());
    return result;
  }

 private:
  const std::vector<std::unique_ptr<Metric>> metrics_;
  double samples_ = 0, failures_ = 0;
};

}  // namespace

absl::Status RegisterBuiltinMetrics(Registrar& registrar) {
  for (const auto& family : {TextMetrics(), BoxMetrics(), CaptionMetrics()}) {
    for (const MetricFactory& metric : family) {
      UNIVAL_RETURN_IF_ERROR(registrar.AddMetric(metric));
    }
  }
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

std::unique_ptr<Metric> CombineMetrics(std::vector<std::unique_ptr<Metric>> metrics) {
  return std::make_unique<CombinedMetric>(std::move(metrics));
}

}  // namespace unival
