// unival: tensor_text.h - what kind of tensor it is, as text for messages.
//
//   InvalidArgument("values: expected Float [2, N, 16], got ", TensorText(values));
#ifndef UNIVAL_SDK_NATIVE_TENSOR_TEXT_H_
#define UNIVAL_SDK_NATIVE_TENSOR_TEXT_H_

#include <string>

namespace at {
class Tensor;
}

namespace unival {

// "[2, 3]", or "(undefined)".
std::string ShapeText(const at::Tensor& tensor);

// The same behind libtorch's name of the dtype: "Float [2, 3]".
std::string TensorText(const at::Tensor& tensor);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TENSOR_TEXT_H_
