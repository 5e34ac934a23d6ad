// unival: scored_metric.h
//
// A metric that can say what each sample contributed, and what it would be with samples drawn
// otherwise: what intervals, paired tests, calibration and lists of the worst answers are made of.
// Metrics that ship are of this kind; one that is not has its result alone.
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

// Numbers by score ("bleu_4"), one per sample in the order in which they were added.
using SampleValues = std::map<std::string, std::vector<double>>;

// A column of a record that a metric cannot do without.
struct MetricColumn {
  std::string name;
  std::string metric;    // that needs it
  bool is_list = false;  // of texts; else a text or a number
};

// Belongs to one thread. Samples that failed are among the samples.
class ScoredMetric : public Metric {
 public:
  ~ScoredMetric() override;
  virtual int64_t samples() const = 0;
  // The scores where sample i counts draws[i] times; draws has samples() entries, none negative.
  // What was made of all samples before, such as the document frequencies of CIDEr, stays.
  virtual std::map<std::string, double> Scores(const std::vector<double>& draws) const = 0;
  // The score of each sample alone; NaN where it has no part in a score, as in that of a kind.
  virtual SampleValues PerSample() const = 0;
  // Samples with equal numbers are drawn together, as pictures of one sentence. Empty: each alone.
  virtual std::vector<int64_t> Groups() const { return {}; }
  // Columns of a record, beside those of the task, without which Add refuses it: for who checks the
  // records before anything is answered.
  virtual std::vector<MetricColumn> Columns() const { return {}; }

  std::map<std::string, double> Result() const override {
    return Scores(std::vector<double>(static_cast<size_t>(samples()), 1));
  }
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_SCORED_METRIC_H_
