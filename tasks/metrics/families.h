// unival: families.h - the families of metrics that ship, each made by its own file.
#ifndef UNIVAL_TASKS_METRICS_FAMILIES_H_
#define UNIVAL_TASKS_METRICS_FAMILIES_H_

#include <vector>

#include "sdk/native/registry.h"

namespace unival {

// exact_match, accuracy, last_word, contains, vqa_accuracy
std::vector<MetricFactory> TextMetrics();
// class_balanced_accuracy, consistency
std::vector<MetricFactory> ClassMetrics();
// mean_iou, iou, iou_thresholds
std::vector<MetricFactory> BoxMetrics();
// bleu, rouge_l, cider, cider_d, meteor
std::vector<MetricFactory> CaptionMetrics();
// wer
std::vector<MetricFactory> SpeechMetrics();
// chair
std::vector<MetricFactory> HallucinationMetrics();

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_FAMILIES_H_
