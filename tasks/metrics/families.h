// unival: families.h - the families of metrics that ship. A new one needs its line here, its own
// file that defines FooMetrics, and that file's line in BUILD.
#ifndef UNIVAL_TASKS_METRICS_FAMILIES_H_
#define UNIVAL_TASKS_METRICS_FAMILIES_H_

#include <vector>

#include "sdk/native/registry.h"

// In the order in which listings have them.
#define UNIVAL_METRIC_FAMILIES(FAMILY) \
  FAMILY(TextMetrics)                  \
  FAMILY(ClassMetrics)                 \
  FAMILY(BoxMetrics)                   \
  FAMILY(CaptionMetrics)               \
  FAMILY(SpeechMetrics)                \
  FAMILY(HallucinationMetrics)

namespace unival {

#define UNIVAL_DECLARE_FAMILY(function) std::vector<MetricFactory> function();
UNIVAL_METRIC_FAMILIES(UNIVAL_DECLARE_FAMILY)
#undef UNIVAL_DECLARE_FAMILY

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_FAMILIES_H_
