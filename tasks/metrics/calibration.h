// unival: calibration.h
//
// Whether answers are right as often as the model is sure of them, and what abstaining from unsure
// ones gains.
//
//   Calibration calibration = Calibrate(confidences, right);
//   calibration.expected_error;   // 0.04
//
// Pure functions; thread-safe.
#ifndef UNIVAL_TASKS_METRICS_CALIBRATION_H_
#define UNIVAL_TASKS_METRICS_CALIBRATION_H_

#include <cstdint>
#include <vector>

namespace unival {

// Answers of one range of confidences.
struct ConfidenceBin {
  double low = 0, high = 0;          // (low, high], the first with 0
  double confidence = 0, right = 0;  // means, 0 for no answers
  int64_t count = 0;
};

// The answers that are left when those below `threshold` are not given.
struct Abstention {
  double threshold = 0;  // confidence
  double coverage = 0;   // share of answers given
  double right = 0;      // share of these that are right
};

struct Calibration {
  // Mean over answers of |right - confidence| of their bin: ECE with ten bins of equal width (Guo
  // et al., "On Calibration of Modern Neural Networks", 2017).
  double expected_error = 0;
  std::vector<ConfidenceBin> bins;      // ten
  std::vector<Abstention> abstentions;  // at coverages near 1, 0.9, ..., 0.1
};

// `confidences`: in [0, 1]; `right`: in [0, 1] each, as many. Answers of equal confidence are given
// or withheld together.
Calibration Calibrate(const std::vector<double>& confidences, const std::vector<double>& right);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_CALIBRATION_H_
