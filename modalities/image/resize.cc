#include "modalities/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace unival {
namespace {

constexpr double kSupport = 2;
// Bits of the fixed-point weights: 32, less 8 for the pixel and 2 to spare.
constexpr int kPrecisionBits = 22;

double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// Weights of the input pixels from `begin` on that make one output pixel.
template <typename Weight>
struct Taps {
  int64_t begin = 0;
  std::vector<Weight> weights;
};

template <typename Weight>
Weight ToWeight(double value);
template <>
int32_t ToWeight(double value) {
  const double scaled = value * (1 << kPrecisionBits);
  return static_cast<int32_t>(value < 0 ? scaled - 0.5 : scaled + 0.5);
}
template <>
float ToWeight(double value) {
  return static_cast<float>(value);
}

template <typename Weight>
std::vector<Taps<Weight>> MakeTaps(int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);  // widened when shrinking: antialiasing
  const double support = kSupport * filter_scale;
  std::vector<Taps<Weight>> taps(out);
  std::vector<double> raw;
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t begin = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const int64_t end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), in);
    raw.clear();
    double sum = 0;
    for (int64_t k = begin; k < end; ++k) {
      raw.push_back(Bicubic((static_cast<double>(k) - center + 0.5) * (1.0 / filter_scale)));
      sum += raw.back();
    }
    taps[i].begin = begin;
    for (double weight : raw) {
      taps[i].weights.push_back(ToWeight<Weight>(sum == 0 ? weight : weight / sum));
    }
  }
  return taps;
}

uint8_t Finish(int32_t sum, uint8_t) {
  return static_cast<uint8_t>(
      std::clamp((sum + (1 << (kPrecisionBits - 1))) >> kPrecisionBits, 0, 255));
}
float Finish(float sum, float) { return sum; }

// [rows, in, inner] -> [rows, out, inner]: one pass along the middle axis.
template <typename Weight, typename Value>
std::vector<Value> ResizeAxis(const Value* values, int64_t rows, int64_t in, int64_t inner,
                              int64_t out) {
  const std::vector<Taps<Weight>> taps = MakeTaps<Weight>(in, out);
  std::vector<Value> result(rows * out * inner);
  std::vector<Weight> sums(inner);
  Value* target = result.data();
  for (int64_t row = 0; row < rows; ++row) {
    for (const Taps<Weight>& tap : taps) {
      std::fill(sums.begin(), sums.end(), Weight{0});
      const Value* source = values + (row * in + tap.begin) * inner;
      for (Weight weight : tap.weights) {
        for (int64_t i = 0; i < inner; ++i) sums[i] += weight * static_cast<Weight>(source[i]);
        source += inner;
      }
      for (int64_t i = 0; i < inner; ++i) *target++ = Finish(sums[i], Value{});
    }
  }
  return result;
}

template <typename Weight, typename Value>
std::vector<Value> Resize(absl::Span<const Value> values, const PictureSize& size,
                          int64_t out_height, int64_t out_width) {
  std::vector<Value> result(values.begin(), values.end());
  if (size.width != out_width) {
    result = ResizeAxis<Weight>(values.data(), size.height, size.width, size.channels, out_width);
  }
  if (size.height != out_height) {
    result =
        ResizeAxis<Weight>(result.data(), 1, size.height, out_width * size.channels, out_height);
  }
  return result;
}

// Where the output's first pixel lies in the input, negative with padding. Python rounds halves to
// even.
int64_t CropStart(int64_t in, int64_t out) {
  if (in < out) return -((out - in) / 2);
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(in - out) / 2));
}

}  // namespace

std::vector<uint8_t> ResizeBicubic(absl::Span<const uint8_t> pixels, const PictureSize& size,
                                   int64_t out_height, int64_t out_width) {
  return Resize<int32_t>(pixels, size, out_height, out_width);
}

std::vector<float> ResizeBicubic(absl::Span<const float> values, const PictureSize& size,
                                 int64_t out_height, int64_t out_width) {
  return Resize<float>(values, size, out_height, out_width);
}

std::vector<uint8_t> CenterCrop(absl::Span<const uint8_t> pixels, const PictureSize& size,
                                int64_t out_height, int64_t out_width) {
  std::vector<uint8_t> result(out_height * out_width * size.channels, 0);
  const int64_t top = CropStart(size.height, out_height), left = CropStart(size.width, out_width);
  const int64_t first = std::max<int64_t>(left, 0);
  const int64_t last = std::min(left + out_width, size.width);
  for (int64_t row = 0; row < out_height; ++row) {
    const int64_t source = row + top;
    if (source < 0 || source >= size.height) continue;
    std::memcpy(result.data() + (row * out_width + first - left) * size.channels,
                pixels.data() + (source * size.width + first) * size.channels,
                (last - first) * size.channels);
  }
  return result;
}

}  // namespace unival
