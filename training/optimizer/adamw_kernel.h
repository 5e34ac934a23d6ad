// unival: adamw_kernel.h - one pass over plain float arrays; internal to adamw.cc.
#ifndef UNIVAL_TRAINING_OPTIMIZER_ADAMW_KERNEL_H_
#define UNIVAL_TRAINING_OPTIMIZER_ADAMW_KERNEL_H_

#include <cstdint>

namespace unival {

struct AdamWFactors {
  float decay;  // lr * weight_decay
  float beta1, beta2;
  float one_minus_beta1, one_minus_beta2;
  float epsilon;
  float step_size;  // lr * sqrt(1 - beta2^t) / (1 - beta1^t)
};

// Updates n elements in place. Arrays do not overlap.
void UpdateElements(const AdamWFactors& factors, int64_t n, const float* gradient, float* parameter,
                    float* mean, float* square);

double SumOfSquares(const float* values, int64_t n);
void ScaleElements(float* values, int64_t n, float factor);

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_ADAMW_KERNEL_H_
