// Metrics of boxes.
#include "tasks/metrics/boxes.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/mean_metric.h"

namespace unival {
namespace {

double BoxOverlap(const References& references, const Prediction& prediction) {
  if (!references.box.has_value() || !prediction.box.has_value()) return 0;
  return IntersectionOverUnion(*references.box, *prediction.box);
}

double BoxHit(const References& references, const Prediction& prediction) {
  return BoxOverlap(references, prediction) >= 0.5 ? 1 : 0;
}

}  // namespace

std::vector<MetricFactory> BoxMetrics() {
  return {MeanMetricFactory("mean_iou", "mean_iou", "mean intersection over union; no box counts 0",
                            &BoxOverlap,
                            /*needs_box=*/true),
          MeanMetricFactory("iou", "iou@0.5", "share of boxes with IoU >= 0.5", &BoxHit,
                            /*needs_box=*/true)};
}

}  // namespace unival
