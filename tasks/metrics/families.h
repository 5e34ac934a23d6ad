// unival: families.h - the families of metrics that ship, each made by its own file.
#ifndef UNIVAL_TASKS_METRICS_FAMILIES_H_
#define UNIVAL_TASKS_METRICS_FAMILIES_H_

#include <vector>

#include "sdk/native/registry.h"

namespace unival {

std::vector<MetricFactory> TextMetrics();     // exact_match, accuracy, last_word, contains
std::vector<MetricFactory> BoxMetrics();      // mean_iou, iou
std::vector<MetricFactory> CaptionMetrics();  // bleu, rouge_l, cider

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_FAMILIES_H_
