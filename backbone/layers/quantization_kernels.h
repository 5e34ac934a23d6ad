// unival: quantization_kernels.h
//
// Rows of floats to 8 bits and sums of such products back to floats, compiled for the vector units
// that the machine has. No libtorch here: pointers in, pointers out.
//
//   x[i] ~ scale * (q[i] - zero)                                     QuantizeRow
//   y[i] = scale * weight_scale[i] * (sum[i] - zero * weight_sum[i]) + bias[i]   DequantizeRow
//
// Thread-safe: no state.
#ifndef UNIVAL_BACKBONE_LAYERS_QUANTIZATION_KERNELS_H_
#define UNIVAL_BACKBONE_LAYERS_QUANTIZATION_KERNELS_H_

#include <cstdint>

namespace unival {
namespace layers {

struct RowScale {
  float scale = 0;
  int32_t zero = 0;  // the code of 0.0, 0 to 255
};

// Codes 0 to 255 over [min(x, 0), max(x, 0)], so that 0.0 is exact. NaN and infinity give a scale
// that is not finite.
RowScale QuantizeRow(const float* x, uint8_t* codes, int64_t n);

// Codes -`largest` to `largest`; returns the scale.
float QuantizeSymmetric(const float* x, int8_t* codes, int64_t n, int largest);

// `bias` may be null.
void DequantizeRow(const int32_t* sums, const float* weight_scales, const int32_t* weight_sums,
                   const float* bias, RowScale row, float* y, int64_t n);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_QUANTIZATION_KERNELS_H_
