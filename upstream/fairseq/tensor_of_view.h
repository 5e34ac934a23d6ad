// unival: tensor_of_view.h - tensors of a mapped checkpoint for libtorch.
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_TENSOR_OF_VIEW_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_TENSOR_OF_VIEW_H_

#include <ATen/core/Tensor.h>

#include <memory>

#include "runtime/torch_file/torch_file.h"

namespace unival {

at::ScalarType ScalarTypeOf(SafetensorsDtype dtype);

// Over the view's bytes, which `keeper` keeps alive, and the tensor keeps that; copied where the
// data is not aligned. A keeper that is a MappedFile must be copy on write: then changing the
// tensor in place changes memory only.
at::Tensor TensorOfView(const TensorView& view, const std::shared_ptr<const void>& keeper);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_TENSOR_OF_VIEW_H_
