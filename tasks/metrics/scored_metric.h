// unival: scored_metric.h
//
// A metric that can say what each sample contributed, and what it would be with samples drawn
// otherwise: what intervals (bootstrap.h), paired tests and lists of the worst answers are made of.
// Metrics that ship are of this kind; one that is not, a plugin's, has its result alone.
//
//   const auto* scored = dynamic_cast<const ScoredMetric*>(metric.get());
#ifndef UNIVAL_TASKS_METRICS_SCORED_METRIC_H_
#define UNIVAL_TASKS_METRICS_SCORED_METRIC_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/native/task.h"

namespace unival {

// Numbers by score ("bleu_4"), one per sample in the order in which they were added.
using SampleValues = std::map<std::string, std::vector<double>>;

// Belongs to one thread. Samples that failed are among the samples.
class ScoredMetric : public Metric {
 public:
  virtual int64_t samples() const = 0;
  // The scores where sample i counts draws[i] times; draws has samples() entries, none negative.
  // What was made of all samples before, such as the document frequencies of CIDEr, stays.
  virtual std::map<std::string, double> Scores(const std::vector<double>& draws) const = 0;
  // The score of each sample alone; NaN where it has no part in a score, as in that of a kind.
  virtual SampleValues PerSample() const = 0;
  // Samples with equal numbers are drawn together, as pictures of one sentence. Empty: each alone.
  virtual std::vector<int64_t> Groups() const { return {}; }

  std::map<std::string, double> Result() const override {
    return Scores(std::vector<double>(static_cast<size_t>(samples()), 1));
  }
};

// What `reader` gives for `sample`, which must have an answer to compare a text with.
// InvalidArgument names the sample.
absl::StatusOr<References> ReadTexts(const ReferenceReader& reader, const TaskSample& sample);

// The text in column `name` of `sample`; nullptr where there is none.
const std::string* TextColumn(const TaskSample& sample, const std::string& name);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_SCORED_METRIC_H_
