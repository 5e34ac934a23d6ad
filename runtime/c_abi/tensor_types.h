// unival: tensor_types.h - the element types that cross tier 2's boundary, as DLPack and libtorch
// name them.
#ifndef UNIVAL_RUNTIME_C_ABI_TENSOR_TYPES_H_
#define UNIVAL_RUNTIME_C_ABI_TENSOR_TYPES_H_

#include <c10/core/ScalarType.h>

#include "sdk/abi/unival_plugin.h"

namespace unival {

struct TensorType {
  DLDataType dlpack;
  c10::ScalarType torch;
};

// Returns null when the host does not know the type. One element has `bits / 8` bytes.
const TensorType* FindTensorType(DLDataType type);
const TensorType* FindTensorType(c10::ScalarType type);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_TENSOR_TYPES_H_
