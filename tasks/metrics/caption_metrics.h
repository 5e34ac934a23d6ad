// unival: caption_metrics.h - the metrics of captions over words made in one way or another.
#ifndef UNIVAL_TASKS_METRICS_CAPTION_METRICS_H_
#define UNIVAL_TASKS_METRICS_CAPTION_METRICS_H_

#include <vector>

#include "sdk/native/registry.h"

namespace unival {

enum class CaptionWords {
  kPennTreebank,  // TokenizeCaptions, as the COCO caption evaluation does
  kAsGiven,       // the texts are words joined by blanks already
};

// bleu, rouge_l, cider, cider_d, cider_plain, meteor
std::vector<MetricFactory> CaptionMetricsOver(CaptionWords kind);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_CAPTION_METRICS_H_
