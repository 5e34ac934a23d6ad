// Metrics of boxes.
#include <array>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/boxes.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/mean_metric.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

double BoxOverlap(const References& references, const Prediction& prediction) {
  if (!references.box.has_value() || !prediction.box.has_value()) return 0;
  return IntersectionOverUnion(*references.box, *prediction.box);
}

double BoxHit(const References& references, const Prediction& prediction) {
  return BoxOverlap(references, prediction) >= 0.5 ? 1 : 0;
}

// The shares of boxes that overlap enough, at the thresholds that papers give.
class OverlapShares : public ScoredMetric {
 public:
  explicit OverlapShares(ReferenceReader reader) : reader_(std::move(reader)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const References references, reader_(reference));
    overlaps_.push_back(BoxOverlap(references, prediction));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample&) override { overlaps_.push_back(0); }
  int64_t samples() const override { return static_cast<int64_t>(overlaps_.size()); }

  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    const double count = std::accumulate(draws.begin(), draws.end(), 0.0);
    std::map<std::string, double> result;
    for (const double threshold : kThresholds) {
      double hits = 0;
      for (size_t i = 0; i < draws.size(); ++i) hits += draws[i] * Hit(overlaps_[i], threshold);
      result[absl::StrCat("iou@", threshold)] = count > 0 ? hits / count : 0;
    }
    return result;
  }
  SampleValues PerSample() const override {
    SampleValues values;
    for (const double threshold : kThresholds) {
      std::vector<double>& own = values[absl::StrCat("iou@", threshold)];
      for (const double overlap : overlaps_) own.push_back(Hit(overlap, threshold));
    }
    return values;
  }

 private:
  static constexpr std::array<double, 6> kThresholds = {0.25, 0.3, 0.5, 0.7, 0.75, 0.9};
  static double Hit(double overlap, double threshold) { return overlap >= threshold ? 1 : 0; }

  const ReferenceReader reader_;
  std::vector<double> overlaps_;
};

}  // namespace

std::vector<MetricFactory> BoxMetrics() {
  const ScoreInfo hit = {"iou@0.5", ScoreOrder::kMoreIsBetter, /*rank=*/40,
                         /*is_share_right=*/true};
  return {MeanMetricFactory("mean_iou", {"mean_iou"},
                            "mean intersection over union; no box counts 0", &BoxOverlap,
                            /*needs_box=*/true),
          MeanMetricFactory("iou", hit, "share of boxes with IoU >= 0.5", &BoxHit,
                            /*needs_box=*/true),
          {"iou_thresholds",
           "shares of boxes with IoU >= 0.25, 0.3, 0.5, 0.7, 0.75, 0.9",
           /*needs_box=*/true,
           [](ReferenceReader reader) {
             return std::unique_ptr<Metric>(new OverlapShares(std::move(reader)));
           },
           {hit}}};
}

}  // namespace unival
