#include "tasks/metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace unival {
namespace {

constexpr int kBins = 10;

size_t BinOf(double confidence) {
  const double place = std::ceil(confidence * kBins) - 1;
  return static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(kBins - 1)));
}

// From all answers down to a few of the most certain ones.
std::vector<Abstention> Abstentions(const std::vector<double>& confidences,
                                    const std::vector<double>& right) {
  std::vector<double> sorted = confidences;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  std::vector<Abstention> list;
  for (int tenth = kBins; tenth > 0; --tenth) {
    const size_t wanted = std::max<size_t>(1, sorted.size() * static_cast<size_t>(tenth) / kBins);
    Abstention one;
    one.threshold = sorted[wanted - 1];
    double given = 0;
    for (size_t i = 0; i < confidences.size(); ++i) {
      if (confidences[i] < one.threshold) continue;
      given += 1;
      one.right += right[i];
    }
    one.coverage = given / static_cast<double>(confidences.size());
    one.right /= given;
    if (list.empty() || list.back().threshold != one.threshold) list.push_back(one);
  }
  return list;
}

}  // namespace

Calibration Calibrate(const std::vector<double>& confidences, const std::vector<double>& right) {
  Calibration calibration;
  for (int i = 0; i < kBins; ++i) {
    calibration.bins.push_back({static_cast<double>(i) / kBins, (i + 1.0) / kBins});
  }
  if (confidences.empty()) return calibration;
  for (size_t i = 0; i < confidences.size(); ++i) {
    ConfidenceBin& bin = calibration.bins[BinOf(confidences[i])];
    bin.confidence += confidences[i];
    bin.right += right[i];
    ++bin.count;
  }
  for (ConfidenceBin& bin : calibration.bins) {
    if (bin.count == 0) continue;
    const auto count = static_cast<double>(bin.count);
    bin.confidence /= count;
    bin.right /= count;
    calibration.expected_error += count * std::abs(bin.right - bin.confidence);
  }
  calibration.expected_error /= static_cast<double>(confidences.size());
  calibration.abstentions = Abstentions(confidences, right);
  return calibration;
}

}  // namespace unival
