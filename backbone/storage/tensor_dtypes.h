// unival: tensor_dtypes.h - the element types that both safetensors files and libtorch have.
#ifndef UNIVAL_BACKBONE_STORAGE_TENSOR_DTYPES_H_
#define UNIVAL_BACKBONE_STORAGE_TENSOR_DTYPES_H_

#include <c10/core/ScalarType.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "backbone/storage/safetensors_header.h"

namespace at {
class Tensor;
}  // namespace at

namespace unival {

at::ScalarType TorchDtype(SafetensorsDtype dtype);
// Nothing for a type that no file can hold.
absl::optional<SafetensorsDtype> FileDtype(at::ScalarType dtype);

// InvalidArgument names the tensor when `bytes` are bools of which one is neither 0 nor 1: using
// such a bool is undefined behaviour in C++. Other types hold any bytes.
absl::Status CheckBools(const std::string& name, SafetensorsDtype dtype, absl::string_view bytes);

// Whether all values are numbers, and none is infinite. Throws what libtorch throws.
bool IsFinite(const at::Tensor& tensor);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_TENSOR_DTYPES_H_
