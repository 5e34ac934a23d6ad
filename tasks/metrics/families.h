// unival: families.h - the families of metrics that ship, each made by its own file.
#ifndef UNIVAL_TASKS_METRICS_FAMILIES_H_
#define UNIVAL_TASKS_METRICS_FAMILIES_H_

#include <vector>

#include "sdk/native/registry.h"

namespace unival {

std::vector<MetricFactory>
TextMetrics();  // exact_match, accuracy, last_word, contains, vqa_accuracy
std::vector<MetricFactory> ClassMetrics();          // class_balanced_accuracy, consistency
std::vector<MetricFactory> BoxMetrics();            // mean_iou, iou, iou_thresholds
std::vector<MetricFactory> CaptionMetrics();        // bleu, rouge_l, cider and kin, meteor
std::vector<MetricFactory> SpeechMetrics();         // wer
std::vector<MetricFactory> HallucinationMetrics();  // chair

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_FAMILIES_H_
