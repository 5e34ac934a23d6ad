// unival: metrics.h
//
// Metrics by name. A metric gets the right answers of a sample through a reader function that the
// task gives it, so that every task can use every metric that fits its target.
//
//   UNIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Metric> metric, CreateMetric("exact_match", reader));
//   metric->Add(sample, prediction);
//   metric->Result();   // {"exact_match": 0.93, "exact_match/kind=count": 0.88, ...}
//
// Means over samples are also given per value of the text column `kind` where samples have one.
// Metric objects belong to one thread; functions are thread-safe.
#ifndef UNIVAL_TASKS_METRICS_METRICS_H_
#define UNIVAL_TASKS_METRICS_METRICS_H_

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"

namespace unival {

struct References {
  std::vector<std::string> texts;             // right answers, at least one for text metrics
  absl::optional<std::array<double, 4>> box;  // x0, y0, x1, y1 as fractions
};
using ReferenceReader = std::function<absl::StatusOr<References>(const TaskSample&)>;

// Name, what it gives, and what it measures:
//
//   exact_match  exact_match  share of answers equal to a reference, case and spacing aside
//   accuracy     accuracy     the same, ASCII punctuation aside as well
//   last_word    last_word    share of answers whose last word is a reference's last word ("the
//                             digit is seven")
//   contains     contains     share of answers that contain a reference as whole words
//   mean_iou     mean_iou     mean intersection over union; no box counts 0
//   iou          iou@0.5      share of boxes with IoU >= 0.5
//   bleu         bleu_1..4    corpus BLEU (closest reference length)
//   rouge_l      rouge_l      ROUGE-L F (beta 1.2)
//   cider        cider        CIDEr-D, document frequencies from the references
//
// NotFound lists the known names.
absl::StatusOr<std::unique_ptr<Metric>> CreateMetric(absl::string_view name,
                                                     ReferenceReader reader);
absl::Status CheckMetricName(absl::string_view name);
bool MetricNeedsBox(absl::string_view name);
std::vector<std::string> MetricNames();

// One metric that feeds all of `metrics` and adds "samples" and "failures".
std::unique_ptr<Metric> CombineMetrics(std::vector<std::unique_ptr<Metric>> metrics);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_METRICS_H_
