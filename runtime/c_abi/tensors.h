// unival: tensors.h - tensors across tier 2's boundary, without copies.
#ifndef UNIVAL_RUNTIME_C_ABI_TENSORS_H_
#define UNIVAL_RUNTIME_C_ABI_TENSORS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/abi/unival_plugin.h"

namespace unival {

// Of a tensor that crosses the boundary.
constexpr int32_t kMaxDimensions = 8;

struct TensorDeleter {
  void operator()(UnivalTensor* tensor) const {
    if (tensor->deleter != nullptr) tensor->deleter(tensor);
  }
};
// Calls the deleter once, whatever happens.
using OwnedTensor = std::unique_ptr<UnivalTensor, TensorDeleter>;

// The tensor over the plugin's memory; the deleter runs when the last user is gone. `what` names it
// in messages. InvalidArgument: null, another DLPack major, not on the CPU, a type that the host
// does not know, more than 8 or negative dimensions, no data, negative strides.
absl::StatusOr<at::Tensor> ImportTensor(OwnedTensor tensor, absl::string_view what);

// A view of `tensor` for a call; valid as long as this object. CPU and contiguous afterwards.
class ExportedTensor {
 public:
  explicit ExportedTensor(const at::Tensor& tensor);
  ExportedTensor(ExportedTensor&&) = default;
  const DLTensor* get() const { return &view_; }

 private:
  at::Tensor tensor_;
  DLTensor view_;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_TENSORS_H_
