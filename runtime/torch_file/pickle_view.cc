#include "runtime/torch_file/pickle_view.h"

#include <algorithm>

#include "sdk/base/shapes.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

// A view may have more elements than its storage where strides are 0, as an expanded tensor has;
// the token embedding of the base size has 46 million. Not without a bound: it is stored element by
// element.
constexpr int64_t kMaxExpanded = int64_t{1} << 28;

// One past the last element that a view with `offset` touches, and how many elements it has.
// False on overflow.
bool MeasureView(const PickleTensor& view, int64_t* end, int64_t* count) {
  *count = 1;
  *end = view.offset;
  for (size_t i = 0; i < view.shape.size(); ++i) {
    if (view.shape[i] == 0) return *count = 0, true;
  }
  for (size_t i = 0; i < view.shape.size(); ++i) {
    int64_t step = 0;
    if (__builtin_mul_overflow(*count, view.shape[i], count) ||
        __builtin_mul_overflow(view.shape[i] - 1, view.strides[i], &step) ||
        __builtin_add_overflow(*end, step, end)) {
      return false;
    }
  }
  return !__builtin_add_overflow(*end, 1, end);
}

}  // namespace

absl::Status CheckView(const PickleTensor& view, int64_t elements) {
  bool valid = view.shape.size() == view.strides.size() && view.shape.size() <= kMaxRank &&
               view.offset >= 0 && view.offset <= elements;
  for (int64_t value : view.shape) valid = valid && value >= 0;
  for (int64_t value : view.strides) valid = valid && value >= 0;
  int64_t end = 0, count = 0;
  valid = valid && MeasureView(view, &end, &count);
  valid = valid && count <= std::max(elements, kMaxExpanded);
  if (valid && (count == 0 || end <= elements)) return absl::OkStatus();
  return InvalidArgument("a tensor of shape ", ShapeText(view.shape), ", strides ",
                         ShapeText(view.strides), " at element ", view.offset,
                         " does not lie within its storage of ", elements, " elements");
}

}  // namespace unival
