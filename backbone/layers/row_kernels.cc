#include "backbone/layers/row_kernels.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "backbone/layers/instruction_sets.h"

namespace unival {
namespace layers {
namespace {

// e^x for x <= 0, within two units in the last place; below kSmallest exactly 0.
UNIVAL_INLINE float ExpNonPositive(float x) {
  constexpr float kSmallest = -87.0f;
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const float clamped = x < kSmallest ? kSmallest : x;
  const float power = __builtin_floorf(clamped * kLog2E + 0.5f);
  const float r = clamped - power * kLn2High - power * kLn2Low;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(power) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return x < kSmallest ? 0.0f : y * scale;
}

UNIVAL_INLINE void Softmax(float* x, const float* bias, const float* mask, int64_t n) {
  float largest = -std::numeric_limits<float>::infinity();
  if (mask != nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) x[i] += mask[i];
  }
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    x[i] += bias[i];
    largest = x[i] > largest ? x[i] : largest;
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) {
    x[i] = ExpNonPositive(x[i] - largest);
    sum += x[i];
  }
  const float inverse = 1.0f / sum;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) x[i] *= inverse;
}

UNIVAL_INLINE float SoftmaxGradient(const float* p, float* gradient, float scale, int64_t n) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (int64_t i = 0; i < n; ++i) dot += p[i] * gradient[i];
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) gradient[i] = scale * p[i] * (gradient[i] - dot);
  return dot;
}

// A 32-bit hash of the index, keyed by both halves of the seed.
UNIVAL_INLINE void Mask(float* mask, int64_t n, int64_t first, float rate, uint64_t seed) {
  const uint32_t low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  const uint32_t start = static_cast<uint32_t>(first);
  const auto threshold =
      static_cast<int32_t>(static_cast<double>(rate) * 4294967296.0 - 2147483648.0);
  const float kept = 1.0f / (1.0f - rate);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    uint32_t h = ((start + static_cast<uint32_t>(i)) * 0x9E3779B1u) ^ low;
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h += high;
    h *= 0x846CA68Bu;
    h ^= h >> 16;
    h *= 0x9E3779B1u;
    h ^= h >> 15;
    mask[i] = static_cast<int32_t>(h ^ 0x80000000u) < threshold ? 0.0f : kept;
  }
}

struct Kernels {
  void (*softmax)(float*, const float*, const float*, int64_t);
  float (*softmax_gradient)(const float*, float*, float, int64_t);
  void (*mask)(float*, int64_t, int64_t, float, uint64_t);
};

#define UNIVAL_DEFINE_KERNELS(name, attribute)                                                     \
  attribute void Softmax##name(float* x, const float* bias, const float* mask, int64_t n) {        \
    Softmax(x, bias, mask, n);                                                                     \
  }                                                                                                \
  attribute float SoftmaxGradient##name(const float* p, float* gradient, float scale, int64_t n) { \
    return SoftmaxGradient(p, gradient, scale, n);                                                 \
  }                                                                                                \
  attribute void Mask##name(float* mask, int64_t n, int64_t first, float rate, uint64_t seed) {    \
    Mask(mask, n, first, rate, seed);                                                              \
  }                                                                                                \
  constexpr Kernels k##name = {Softmax##name, SoftmaxGradient##name, Mask##name};

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

void SoftmaxRow(float* x, const float* bias, const float* mask, int64_t n) {
  Best().softmax(x, bias, mask, n);
}

float SoftmaxGradientRow(const float* p, float* gradient, float scale, int64_t n) {
  return Best().softmax_gradient(p, gradient, scale, n);
}

void DropoutMask(float* mask, int64_t n, int64_t first, float rate, uint64_t seed) {
  Best().mask(mask, n, first, rate, seed);
}

}  // namespace layers
}  // namespace unival

#undef UNIVAL_DEFINE_KERNELS
