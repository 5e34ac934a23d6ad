// unival: scored_metric.h
//
// A metric that also gives the score of each sample, and its scores for a resampled set of samples
// (bootstrap). Confidence intervals, paired tests, calibration and lists of the worst answers need
// this. All built-in metrics are of this kind. Any other Metric gives only its result.
//
//   class Excess : public unival::ScoredMetric { ... };
#ifndef UNIVAL_SDK_NATIVE_SCORED_METRIC_H_
#define UNIVAL_SDK_NATIVE_SCORED_METRIC_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sdk/native/task.h"

namespace unival {

// For each score ("bleu_4"), one value per sample, in the order in which the samples were added.
using SampleValues = std::map<std::string, std::vector<double>>;

// A column of a record that a metric needs.
struct MetricColumn {
  std::string name;
  std::string metric;    // the metric that needs it
  bool is_list = false;  // true: a list of texts; false: a text or a number
};

// Belongs to one thread. Failed samples count as samples too.
class ScoredMetric : public Metric {
 public:
  ~ScoredMetric() override;
  virtual int64_t samples() const = 0;
  // The scores when sample i counts draws[i] times. `draws` has samples() entries, none negative.
  // Statistics over all samples, such as the document frequencies of CIDEr, are not computed again.
  virtual std::map<std::string, double> Scores(const std::vector<double>& draws) const = 0;
  // The score of each sample alone. NaN when a sample does not count for a score, for example a
  // score of another kind of records.
  virtual SampleValues PerSample() const = 0;
  // Samples with equal numbers are resampled together, for example the pictures of one sentence.
  // Empty: each sample alone.
  virtual std::vector<int64_t> Groups() const { return {}; }
  // Columns that a record needs in addition to those of the task; Add returns an error without
  // them. Used to check the records before any answer is computed.
  virtual std::vector<MetricColumn> Columns() const { return {}; }

  std::map<std::string, double> Result() const override {
    return Scores(std::vector<double>(static_cast<size_t>(samples()), 1));
  }
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_SCORED_METRIC_H_
