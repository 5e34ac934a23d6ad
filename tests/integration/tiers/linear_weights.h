// unival: linear_weights.h - one small encoder in three tiers: 4 x 4 patches of a 16 x 16 image of
// 16 bits, scaled by (x - 2048) / 1024, times a matrix [16, 6]. All numbers are small multiples of
// powers of two, so every sum is exact in any order, and the tiers must give bitwise equal results.
#ifndef UNIVAL_TESTS_INTEGRATION_TIERS_LINEAR_WEIGHTS_H_
#define UNIVAL_TESTS_INTEGRATION_TIERS_LINEAR_WEIGHTS_H_

#include <cstdint>

constexpr int64_t kSide = 16, kPatch = 4, kGrid = kSide / kPatch, kPixels = kPatch * kPatch,
                  kWidth = 6;
constexpr float kMean = 2048, kScale = 1024;

constexpr float LinearWeight(int64_t pixel, int64_t feature) {
  return static_cast<float>((feature * 7 + pixel * 3) % 17 - 8) / 8;
}

#endif  // UNIVAL_TESTS_INTEGRATION_TIERS_LINEAR_WEIGHTS_H_
