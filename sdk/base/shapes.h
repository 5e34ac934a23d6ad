// unival: shapes.h - prints the shape of a tensor, in the same form in every message.
//
//   InvalidArgument("values: expected [2, N, 16], got ", ShapeText(tensor.sizes()));
#ifndef UNIVAL_SDK_BASE_SHAPES_H_
#define UNIVAL_SDK_BASE_SHAPES_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace unival {

// "[2, 3]"; "[]" for a scalar.
std::string ShapeText(absl::Span<const int64_t> sizes);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_SHAPES_H_
