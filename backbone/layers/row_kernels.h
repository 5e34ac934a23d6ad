// unival: row_kernels.h
//
// Loops over contiguous floats that training on a CPU spends its time in, compiled for the vector
// units that the machine has. No libtorch here: pointers in, pointers out.
//
//   SoftmaxRow(logits, bias, mask, n);                       // logits become probabilities
//   DropoutMask(mask, n, /*first=*/0, 0.1f, seed);
//
// Thread-safe: no state.
#ifndef UNIVAL_BACKBONE_LAYERS_ROW_KERNELS_H_
#define UNIVAL_BACKBONE_LAYERS_ROW_KERNELS_H_

#include <cstdint>

namespace unival {
namespace layers {

// x[i] = softmax(x + bias + mask)[i]; `mask` may be null. Logits 87 below the largest give exactly
// 0. NaN stays NaN.
void SoftmaxRow(float* x, const float* bias, const float* mask, int64_t n);

// Gradient of the logits from that of the probabilities: gradient[i] = scale * p[i] * (gradient[i]
// - dot), with dot = sum of p * gradient, which is returned.
float SoftmaxGradientRow(const float* p, float* gradient, float scale, int64_t n);

// mask[i] = 0 with probability `rate`, else 1 / (1 - rate); element i depends on (seed, first + i)
// alone.
void DropoutMask(float* mask, int64_t n, int64_t first, float rate, uint64_t seed);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_ROW_KERNELS_H_
