#include "backbone/layers/quantization_kernels.h"

#include <limits>

#include "backbone/layers/instruction_sets.h"

namespace unival {
namespace layers {
namespace {

// The sum is not finite where a value is not.
UNIVAL_INLINE RowScale Quantize(const float* x, uint8_t* codes, int64_t n) {
  float low = 0, high = 0, poison = 0;
#pragma omp simd reduction(min : low) reduction(max : high) reduction(+ : poison)
  for (int64_t i = 0; i < n; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    poison += x[i] * 0.0f;
  }
  const float range = high - low;
  if (!(poison == 0) || !(range <= std::numeric_limits<float>::max()))
    return {std::numeric_limits<float>::quiet_NaN(), 0};
  const float scale = range > 0 ? range / 255.0f : 1.0f;
  const float inverse = 1.0f / scale;
  const auto zero = static_cast<int32_t>(-low * inverse + 0.5f);
  // Rounds to the nearest, as what is cut is not negative.
  const float shift = static_cast<float>(zero) + 0.5f;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    float code = x[i] * inverse + shift;
    code = code < 0.0f ? 0.0f : code;
    code = code > 255.0f ? 255.0f : code;
    codes[i] = static_cast<uint8_t>(static_cast<int32_t>(code));
  }
  return {scale, zero};
}

UNIVAL_INLINE float Symmetric(const float* x, int8_t* codes, int64_t n, int largest) {
  float most = 0;
#pragma omp simd reduction(max : most)
  for (int64_t i = 0; i < n; ++i) {
    const float size = x[i] < 0 ? -x[i] : x[i];
    most = size > most ? size : most;
  }
  const float bound = static_cast<float>(largest);
  const float scale = most > 0 ? most / bound : 1.0f;
  const float inverse = 1.0f / scale;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float code = x[i] * inverse + (x[i] < 0 ? -0.5f : 0.5f);
    codes[i] = static_cast<int8_t>(static_cast<int32_t>(code));
  }
  return scale;
}

UNIVAL_INLINE void Dequantize(const int32_t* sums, const float* weight_scales,
                              const int32_t* weight_sums, const float* bias, RowScale row, float* y,
                              int64_t n) {
  if (bias == nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      y[i] = row.scale * weight_scales[i] * static_cast<float>(sums[i] - row.zero * weight_sums[i]);
    }
    return;
  }
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    y[i] = row.scale * weight_scales[i] * static_cast<float>(sums[i] - row.zero * weight_sums[i]) +
           bias[i];
  }
}

struct Kernels {
  RowScale (*quantize)(const float*, uint8_t*, int64_t);
  float (*symmetric)(const float*, int8_t*, int64_t, int);
  void (*dequantize)(const int32_t*, const float*, const int32_t*, const float*, RowScale, float*,
                     int64_t);
};

#define UNIVAL_DEFINE_KERNELS(name, attribute)                                                 \
  attribute RowScale Quantize##name(const float* x, uint8_t* codes, int64_t n) {               \
    return Quantize(x, codes, n);                                                              \
  }                                                                                            \
  attribute float Symmetric##name(const float* x, int8_t* codes, int64_t n, int largest) {     \
    return Symmetric(x, codes, n, largest);                                                    \
  }                                                                                            \
  attribute void Dequantize##name(const int32_t* sums, const float* scales,                    \
                                  const int32_t* weight_sums, const float* bias, RowScale row, \
                                  float* y, int64_t n) {                                       \
    Dequantize(sums, scales, weight_sums, bias, row, y, n);                                    \
  }                                                                                            \
  constexpr Kernels k##name = {Quantize##name, Symmetric##name, Dequantize##name};

UNIVAL_DEFINE_KERNELS(Portable, )
#if defined(__x86_64__)
UNIVAL_DEFINE_KERNELS(Avx2, UNIVAL_AVX2)
UNIVAL_DEFINE_KERNELS(Avx512, UNIVAL_AVX512)
#endif

const Kernels& Best() {
#if defined(__x86_64__)
  const InstructionSet best = BestInstructionSet();
  if (best == InstructionSet::kAvx512) return kAvx512;
  if (best == InstructionSet::kAvx2) return kAvx2;
#endif
  return kPortable;
}

}  // namespace

RowScale QuantizeRow(const float* x, uint8_t* codes, int64_t n) {
  return Best().quantize(x, codes, n);
}

float QuantizeSymmetric(const float* x, int8_t* codes, int64_t n, int largest) {
  return Best().symmetric(x, codes, n, largest);
}

void DequantizeRow(const int32_t* sums, const float* weight_scales, const int32_t* weight_sums,
                   const float* bias, RowScale row, float* y, int64_t n) {
  Best().dequantize(sums, weight_scales, weight_sums, bias, row, y, n);
}

}  // namespace layers
}  // namespace unival

#undef UNIVAL_DEFINE_KERNELS
