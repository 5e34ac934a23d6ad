// unival: tensor_text.h - prints the shape and dtype of a tensor for messages.
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

// The same with libtorch's name of the dtype before it: "Float [2, 3]".
std::string TensorText(const at::Tensor& tensor);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TENSOR_TEXT_H_
