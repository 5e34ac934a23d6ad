#include "sdk/native/tensor_text.h"

#include <ATen/core/Tensor.h>

#include "absl/strings/str_cat.h"
#include "sdk/base/shapes.h"

namespace unival {

std::string ShapeText(const at::Tensor& tensor) {
  return tensor.defined() ? ShapeText(tensor.sizes()) : "(undefined)";
}

std::string TensorText(const at::Tensor& tensor) {
  if (!tensor.defined()) return ShapeText(tensor);
  return absl::StrCat(c10::toString(tensor.scalar_type()), " ", ShapeText(tensor));
}

}  // namespace unival
