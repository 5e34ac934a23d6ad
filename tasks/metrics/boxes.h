// unival: boxes.h
//
// Boxes [x0, y0, x1, y1] (x to the right, y down, origin at the top left) as location bins and
// back. Bin = round(fraction * (bins - 1)), halves to even; fraction = bin / (bins - 1).
#ifndef UNIVAL_TASKS_METRICS_BOXES_H_
#define UNIVAL_TASKS_METRICS_BOXES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace unival {

using NormalizedBox = std::array<double, 4>;

struct ImageSize {
  double width = 0;   // pixels
  double height = 0;  // pixels
};

// Fractions of a record's box: pixels over the image's size, or, without a size, the fractions that
// the values must then be. InvalidArgument: not four finite numbers, corners in the wrong order,
// further than 1 % outside the image (within that it is clipped), pixels without a size.
absl::StatusOr<NormalizedBox> BoxFractions(absl::Span<const double> box,
                                           const absl::optional<ImageSize>& size);

std::array<int64_t, 4> QuantizeBox(const NormalizedBox& fractions, int64_t bins);
NormalizedBox DequantizeBox(const std::array<int64_t, 4>& bins, int64_t count);

// Intersection over union, 0 when either is empty.
double IntersectionOverUnion(const NormalizedBox& a, const NormalizedBox& b);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_BOXES_H_
