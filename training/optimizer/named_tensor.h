// unival: named_tensor.h - tensors with the names that checkpoints give them.
#ifndef UNIVAL_TRAINING_OPTIMIZER_NAMED_TENSOR_H_
#define UNIVAL_TRAINING_OPTIMIZER_NAMED_TENSOR_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/named_tensor.h"

namespace unival {

// State as checkpoints hold it.
using TensorState = std::map<std::string, at::Tensor>;

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_NAMED_TENSOR_H_
