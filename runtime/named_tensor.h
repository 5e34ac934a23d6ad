// unival: named_tensor.h - a tensor with the name that checkpoints give it.
#ifndef UNIVAL_RUNTIME_NAMED_TENSOR_H_
#define UNIVAL_RUNTIME_NAMED_TENSOR_H_

#include <ATen/core/Tensor.h>

#include <string>

namespace unival {

// A parameter or buffer by its full name: "backbone.encoder.layers.0.fc1.weight",
// "connection.depth.weight", "modality.image.layers.0.weight". Frozen or trained, everything that a
// checkpoint holds has such a name.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  bool is_buffer = false;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_NAMED_TENSOR_H_
