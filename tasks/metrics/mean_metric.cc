#include "tasks/metrics/mean_metric.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The mean of a score over samples, in all and per `kind`.
class MeanMetric : public Metric {
 public:
  MeanMetric(std::string name, Score score, ReferenceReader reader)
      : name_(std::move(name)), score_(score), reader_(std::move(reader)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const References references, reader_(reference));
    Record(reference, score_(references, prediction));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override { Record(reference, 0); }

  std::map<std::string, double> Result() const override {
    std::map<std::string, double> result;
    for (const auto& [key, mean] : means_) result[key] = mean.sum / mean.count;
    if (means_.empty()) result[name_] = 0;
    return result;
  }

 private:
  struct Mean {
    double sum = 0, count = 0;
    void Add(double value) {
      sum += value;
      count += 1;
    }
  };

  void Record(const TaskSample& sample, double value) {
    means_[name_].Add(value);
    const auto kind = sample.fields.find("kind");
    if (kind == sample.fields.end()) return;
    const auto* text = std::get_if<std::string>(&kind->second);
    if (text != nullptr) means_[absl::StrCat(name_, "/kind=", *text)].Add(value);
  }

  const std::string name_;
  const Score score_;
  const ReferenceReader reader_;
  std::map<std::string, Mean> means_;
};

}  // namespace

MetricFactory MeanMetricFactory(const std::string& name, const std::string& result,
                                const std::string& summary, Score score, bool needs_box) {
  return {name, summary, needs_box, [result, score](ReferenceReader reader) {
            return std::unique_ptr<Metric>(new MeanMetric(result, score, std::move(reader)));
          }};
}

}  // namespace unival
