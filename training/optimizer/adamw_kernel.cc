#include "training/optimizer/adamw_kernel.h"

#include <algorithm>
#include <cmath>

namespace unival {

void UpdateElements(const AdamWFactors& factors, int64_t n, const float* __restrict gradient,
                    float* __restrict parameter, float* __restrict mean, float* __restrict square) {
  const AdamWFactors f = factors;
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i];
    const float m = mean[i] * f.beta1 + g * f.one_minus_beta1;
    const float v = square[i] * f.beta2 + g * g * f.one_minus_beta2;
    mean[i] = m;
    square[i] = v;
    // Not p * (1 - decay): a small decay would be lost when 1 - decay is rounded to float32.
    const float p = parameter[i] - f.decay * parameter[i];
    parameter[i] = p - f.step_size * m / (std::sqrt(v) + f.epsilon);
  }
}

double SumOfSquares(const float* values, int64_t n) {
  constexpr int kLanes = 8;
  double sums[kLanes] = {};
  const int64_t whole = n / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  double sum = 0;
  for (int lane = 0; lane < kLanes; ++lane) sum += sums[lane];
  for (int64_t i = whole; i < n; ++i) sum += static_cast<double>(values[i]) * values[i];
  return sum;
}

void ScaleElements(float* values, int64_t n, float factor) {
  for (int64_t i = 0; i < n; ++i) values[i] *= factor;
}

}  // namespace unival
