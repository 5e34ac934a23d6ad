// A native plugin that adds two metrics and an encoder network.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "sdk/native/plugin.h"
#include "sdk/native/scored_metric.h"
#include "sdk/native/status_macros.h"
#include "tests/plug_points/rows_network.h"

namespace {

int64_t Words(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  return static_cast<int64_t>(words.size());
}

// The share of answers that have no more words than the first reference.
class Brevity : public unival::Metric {
 public:
  explicit Brevity(unival::ReferenceReader reader) : reader_(std::move(reader)) {}

  absl::Status Add(const unival::TaskSample& reference,
                   const unival::Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const unival::References references, reader_(reference));
    ++count_;
    if (Words(prediction.text) <= Words(references.texts.at(0))) ++brief_;
    return absl::OkStatus();
  }
  void AddFailure(const unival::TaskSample&) override { ++count_; }
  std::map<std::string, double> Result() const override {
    return {{"brevity", count_ > 0 ? brief_ / count_ : 0}};
  }

 private:
  const unival::ReferenceReader reader_;
  double brief_ = 0, count_ = 0;
};

// The mean number of words that an answer has more than the first reference; less is better. A
// failure counts as kOfFailure words.
class Excess : public unival::ScoredMetric {
 public:
  explicit Excess(unival::ReferenceReader reader) : reader_(std::move(reader)) {}

  absl::Status Add(const unival::TaskSample& reference,
                   const unival::Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const unival::References references, reader_(reference));
    const int64_t beyond = Words(prediction.text) - Words(references.texts.at(0));
    values_.push_back(static_cast<double>(std::max<int64_t>(0, beyond)));
    return absl::OkStatus();
  }
  void AddFailure(const unival::TaskSample&) override { values_.push_back(kOfFailure); }

  int64_t samples() const override { return static_cast<int64_t>(values_.size()); }
  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    double sum = 0, count = 0;
    for (size_t i = 0; i < draws.size(); ++i) sum += draws[i] * values_[i], count += draws[i];
    return {{"excess", count > 0 ? sum / count : 0}};
  }
  unival::SampleValues PerSample() const override { return {{"excess", values_}}; }

 private:
  static constexpr double kOfFailure = 10;
  const unival::ReferenceReader reader_;
  std::vector<double> values_;
};

absl::Status Register(unival::Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(registrar.AddNetwork(unival::RowsNetwork()));
  UNIVAL_RETURN_IF_ERROR(registrar.AddMetric({"excess",
                                              "words beyond those of the reference",
                                              /*needs_box=*/false,
                                              [](unival::ReferenceReader reader) {
                                                return std::unique_ptr<unival::Metric>(
                                                    new Excess(std::move(reader)));
                                              },
                                              {{"excess", unival::ScoreOrder::kLessIsBetter}}}));
  unival::ScoreInfo brevity;
  brevity.name = "brevity";
  brevity.remark = "words at blanks";
  return registrar.AddMetric({"brevity",
                              "share of answers no longer than the reference",
                              /*needs_box=*/false,
                              [](unival::ReferenceReader reader) {
                                return std::unique_ptr<unival::Metric>(
                                    new Brevity(std::move(reader)));
                              },
                              {brevity}});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("extras", "1.0.0", Register)
