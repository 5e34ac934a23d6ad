#include "upstream/fairseq/tensor_of_view.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

namespace unival {

at::ScalarType ScalarTypeOf(SafetensorsDtype dtype) {
  switch (dtype) {
    case SafetensorsDtype::kF64:
      return at::kDouble;
    case SafetensorsDtype::kF32:
      return at::kFloat;
    case SafetensorsDtype::kF16:
      return at::kHalf;
    case SafetensorsDtype::kBF16:
      return at::kBFloat16;
    case SafetensorsDtype::kI64:
      return at::kLong;
    case SafetensorsDtype::kI32:
      return at::kInt;
    case SafetensorsDtype::kI16:
      return at::kShort;
    case SafetensorsDtype::kI8:
      return at::kChar;
    case SafetensorsDtype::kU8:
      return at::kByte;
    case SafetensorsDtype::kBool:
      return at::kBool;
  }
  return at::kByte;
}

at::Tensor TensorOfView(const TensorView& view, const std::shared_ptr<const void>& keeper) {
  const auto options = at::TensorOptions().dtype(ScalarTypeOf(view.dtype));
  if (reinterpret_cast<uintptr_t>(view.data()) % DtypeSize(view.dtype) == 0) {
    // The mapping is copy on write, so that a tensor may be changed in place.
    return at::from_blob(
        const_cast<char*>(view.data()), view.shape, view.strides, [keeper](void*) {}, options);
  }
  const int64_t bytes = static_cast<int64_t>(view.storage.size());
  at::Tensor copy = at::empty({bytes / DtypeSize(view.dtype)}, options);
  std::memcpy(copy.data_ptr(), view.storage.data(), view.storage.size());
  return copy.as_strided(view.shape, view.strides, view.offset);
}

}  // namespace unival
