// unival: sum_metric.h - metrics that follow from sums of statistics over samples: a mean, a ratio
// of counts, corpus BLEU.
#ifndef UNIVAL_TASKS_METRICS_SUM_METRIC_H_
#define UNIVAL_TASKS_METRICS_SUM_METRIC_H_

#include <functional>
#include <string>
#include <vector>

#include "sdk/native/registry.h"
#include "sdk/native/task.h"

namespace unival {

// The answer to a sample, and what is right. A failed sample has an empty text.
struct ScoredText {
  std::string text;
  std::vector<std::string> references;  // at least one, except where a failure's are unknown
  std::vector<std::string> objects;     // its column `objects`: what a picture shows
};

using Statistics = std::vector<double>;

struct SumScorer {
  std::vector<ScoreInfo> infos;  // of the scores
  // Makes the statistics of every sample, all of one length. It gets all samples at once, because
  // some statistics need all references.
  std::function<std::vector<Statistics>(const std::vector<ScoredText>&)> statistics;
  // The scores, as `infos`, of the sums of the statistics of `count` samples, count > 0.
  std::function<std::vector<double>(const Statistics& sums, double count)> scores;
  bool needs_objects = false;  // refuses a sample without a column `objects`
  // Most words that a text of a sample may have; a sample with a longer text is refused. For
  // metrics whose time grows with the product of the words of two texts. 0: no limit.
  int64_t most_words = 0;
};

MetricFactory SumMetricFactory(const std::string& name, const std::string& summary,
                               SumScorer scorer);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_SUM_METRIC_H_
