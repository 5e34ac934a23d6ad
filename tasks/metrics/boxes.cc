#include "tasks/metrics/boxes.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {
namespace {

constexpr double kTolerance = 0.01;  // annotators' boxes stick out a little

double Area(const NormalizedBox& box) {
  return std::max(0.0, box[2] - box[0]) * std::max(0.0, box[3] - box[1]);
}

absl::Status Error(absl::Span<const double> box, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("box [", absl::StrJoin(box, ", "), "] ", what));
}

}  // namespace

absl::StatusOr<NormalizedBox> BoxFractions(absl::Span<const double> box,
                                           const absl::optional<ImageSize>& size) {
  if (box.size() != 4) {
    return Error(box, absl::StrCat("has ", box.size(), " numbers; expected x0, y0, x1, y1"));
  }
  if (size.has_value() && !(size->width > 0 && size->height > 0)) {
    return Error(box, absl::StrCat("in an image of ", size->width, " x ", size->height, " pixels"));
  }
  NormalizedBox fractions;
  for (size_t i = 0; i < 4; ++i) {
    if (!std::isfinite(box[i])) return Error(box, "is not finite");
    const double extent = !size.has_value() ? 1 : i % 2 == 0 ? size->width : size->height;
    fractions[i] = box[i] / extent;
    if (fractions[i] < -kTolerance || fractions[i] > 1 + kTolerance) {
      return Error(box, size.has_value()
                            ? absl::StrCat("lies outside the image of ", size->width, " x ",
                                           size->height, " pixels")
                            : "is not in fractions; give columns width and height for pixels");
    }
    fractions[i] = std::clamp(fractions[i], 0.0, 1.0);
  }
  if (box[0] > box[2] || box[1] > box[3]) {
    return Error(box, "has its corners in the wrong order; expected x0 <= x1, y0 <= y1");
  }
  return fractions;
}

std::array<int64_t, 4> QuantizeBox(const NormalizedBox& fractions, int64_t bins) {
  std::array<int64_t, 4> quantized;
  for (size_t i = 0; i < 4; ++i) {
    // Rounds halves to even under the default rounding mode.
    quantized[i] = static_cast<int64_t>(std::nearbyint(fractions[i] * (bins - 1)));
  }
  return quantized;
}

NormalizedBox DequantizeBox(const std::array<int64_t, 4>& bins, int64_t count) {
  NormalizedBox fractions;
  for (size_t i = 0; i < 4; ++i) {
    fractions[i] = count > 1 ? static_cast<double>(bins[i]) / (count - 1) : 0;
  }
  return fractions;
}

double IntersectionOverUnion(const NormalizedBox& a, const NormalizedBox& b) {
  const NormalizedBox overlap = {std::max(a[0], b[0]), std::max(a[1], b[1]), std::min(a[2], b[2]),
                                 std::min(a[3], b[3])};
  const double both = Area(overlap);
  const double either = Area(a) + Area(b) - both;
  return either > 0 ? both / either : 0;
}

}  // namespace unival
