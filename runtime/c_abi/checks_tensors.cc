// The checks of tensors.

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/tensor_types.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr uint64_t kKnownFlags = DLPACK_FLAG_BITMASK_READ_ONLY | DLPACK_FLAG_BITMASK_IS_COPIED;

// Elements from the first to one past the last that the tensor touches; what is wrong with its
// strides goes to `problem`. Every size is at most kMaxTensorBytes here, and so is their product.
int64_t Extent(const DLTensor& tensor, std::string* problem) {
  std::vector<std::pair<int64_t, int64_t>> steps;  // stride, size
  for (int32_t i = 0; i < tensor.ndim; ++i) {
    const int64_t stride = tensor.strides[i];
    if (stride < 0) return *problem = absl::StrCat("dimension ", i, " has a negative stride"), 0;
    if (stride > kMaxTensorBytes)
      return *problem = absl::StrCat("dimension ", i, " has the stride ", stride), 0;
    if (tensor.shape[i] > 1) steps.emplace_back(stride, tensor.shape[i]);
  }
  // No two elements share memory when each stride passes over all that the smaller ones reach.
  std::sort(steps.begin(), steps.end());
  int64_t extent = 1;
  for (const auto& [stride, size] : steps) {
    if (stride < extent) return *problem = "its strides let elements overlap", 0;
    int64_t reach = 0;
    if (__builtin_mul_overflow(stride, size - 1, &reach) || reach > kMaxTensorBytes - extent)
      return *problem = absl::StrCat("the stride ", stride, " of a dimension of ", size), 0;
    extent += reach;
  }
  return extent;
}

// The problem with a tensor's shape, strides and data, or nothing. `width`: bytes of an element.
std::string ProblemOfShape(const DLTensor& tensor, int64_t width) {
  if (tensor.ndim < 0 || tensor.ndim > kMaxDimensions ||
      (tensor.ndim > 0 && tensor.shape == nullptr)) {
    return absl::StrCat(tensor.ndim, " dimensions, expected 0..", kMaxDimensions,
                        " with their sizes");
  }
  // Sizes of 0 count as 1: the others stay within bounds, since strides are made of them.
  int64_t bytes = width;
  bool empty = false;
  for (int32_t i = 0; i < tensor.ndim; ++i) {
    const int64_t size = tensor.shape[i];
    if (size < 0 || (size > 0 && bytes > kMaxTensorBytes / size))
      return absl::StrCat("dimension ", i, " has size ", size);
    bytes *= std::max<int64_t>(size, 1);
    empty = empty || size == 0;
  }
  std::string problem;
  const int64_t extent = tensor.strides == nullptr ? bytes / width : Extent(tensor, &problem);
  if (!problem.empty()) return problem;
  if (extent > kMaxTensorBytes / width || tensor.byte_offset > uint64_t{kMaxTensorBytes}) {
    return absl::StrCat(extent, " elements at byte_offset ", tensor.byte_offset);
  }
  if (tensor.data == nullptr) return empty && tensor.byte_offset == 0 ? "" : "no data";
  if ((reinterpret_cast<uintptr_t>(tensor.data) + tensor.byte_offset) % width != 0)
    return absl::StrCat("its data are not aligned to the ", width, " bytes of an element");
  return "";
}

std::string Problem(const UnivalTensor* tensor) {
  if (tensor == nullptr) return "null";
  if (tensor->version.major != DLPACK_MAJOR_VERSION) {
    return absl::StrCat("DLPack version ", tensor->version.major, ".", tensor->version.minor,
                        ", expected ", DLPACK_MAJOR_VERSION, ".x");
  }
  if (tensor->deleter == nullptr) return "no deleter, so that its memory could never be freed";
  if ((tensor->flags & ~kKnownFlags) != 0)
    return absl::StrCat("flags ", tensor->flags, ", expected read-only (1) and copied (2) alone");
  const DLTensor& content = tensor->dl_tensor;
  if (content.device.device_type != kDLCPU || content.device.device_id != 0) {
    return absl::StrCat("device type ", static_cast<int>(content.device.device_type), ", number ",
                        content.device.device_id, ", expected the CPU (1), 0");
  }
  if (FindTensorType(content.dtype) == nullptr) {
    return absl::StrCat("type code ", content.dtype.code, " of ", content.dtype.bits, " bits and ",
                        content.dtype.lanes, " lanes");
  }
  return ProblemOfShape(content, content.dtype.bits / 8);
}

bool Is(const DLTensor& tensor, uint8_t code, uint8_t bits) {
  return tensor.dtype.code == code && tensor.dtype.bits == bits;
}

absl::Span<const int64_t> Shape(const DLTensor& tensor) {
  return {tensor.shape, static_cast<size_t>(tensor.ndim)};
}

absl::Status Unexpected(absl::string_view what, absl::string_view field, const DLTensor& tensor,
                        absl::string_view expected) {
  return InvalidArgument(what, ": ", field, " of type code ", tensor.dtype.code, ", ",
                         tensor.dtype.bits, " bits, ", ShapeText(Shape(tensor)), ", expected ",
                         expected);
}

absl::Status CheckPositions(absl::string_view what, const UnivalTensor* tensor,
                            std::vector<int64_t> expected, int32_t kind) {
  if (kind == UNIVAL_POSITION_NONE) {
    if (tensor == nullptr) return absl::OkStatus();
    return InvalidArgument(what, ": positions given, position_kind 0 says that there are none");
  }
  if (kind == UNIVAL_POSITION_GRID) expected.push_back(2);
  const std::string wanted = absl::StrCat("int64 ", ShapeText(expected));
  if (tensor == nullptr) return InvalidArgument(what, ": positions null, expected ", wanted);
  if (Is(tensor->dl_tensor, kDLInt, 64) && Shape(tensor->dl_tensor) == absl::MakeSpan(expected))
    return absl::OkStatus();
  return Unexpected(what, "positions", tensor->dl_tensor, wanted);
}

}  // namespace

absl::Status CheckTensor(absl::string_view what, const UnivalTensor* tensor) {
  const std::string problem = Problem(tensor);
  if (problem.empty()) return absl::OkStatus();
  return InvalidArgument(what, " is not a usable tensor: ", problem);
}

absl::Status CheckTensors(absl::string_view what, const UnivalTensors& tensors,
                          UnivalTensor* const* items) {
  UNIVAL_RETURN_IF_ERROR(CheckKept(what, tensors.struct_size, sizeof(UnivalTensors)));
  if (tensors.items != items)
    return InvalidArgument(what, ": items was replaced, expected tensors in the host's own array");
  if (tensors.count < 1 || tensors.count > UNIVAL_MAX_TENSORS) {
    return InvalidArgument(what, " gave ", tensors.count, " tensors, expected 1..",
                           UNIVAL_MAX_TENSORS);
  }
  for (uint64_t i = tensors.count; i < UNIVAL_MAX_TENSORS; ++i) {
    if (items[i] == nullptr) continue;
    return InvalidArgument(what, " gave ", tensors.count, " tensors, but tensor ", i, " is set");
  }
  return absl::OkStatus();
}

absl::Status CheckEncoded(absl::string_view what, const UnivalEncodeCall& call, int64_t rows,
                          int64_t feature_dim, int32_t position_kind) {
  const DLTensor& features = call.features->dl_tensor;
  if (!Is(features, kDLFloat, 32) || features.ndim != 3 || features.shape[0] != rows ||
      features.shape[1] < 1 || features.shape[2] != feature_dim) {
    return Unexpected(
        what, "features", features,
        absl::StrCat("float32 [", rows, ", N, ", feature_dim, "] with N of 1 or more"));
  }
  const std::vector<int64_t> expected = {rows, features.shape[1]};
  if (call.padding != nullptr) {
    const DLTensor& padding = call.padding->dl_tensor;
    if ((!Is(padding, kDLBool, 8) && !Is(padding, kDLUInt, 8)) ||
        Shape(padding) != absl::MakeSpan(expected)) {
      return Unexpected(what, "padding", padding,
                        absl::StrCat("bool or uint8 ", ShapeText(expected)));
    }
  }
  return CheckPositions(what, call.positions, expected, position_kind);
}

}  // namespace unival
