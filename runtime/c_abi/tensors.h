// unival: tensors.h - tensors across tier 2's boundary, without copies.
#ifndef UNIVAL_RUNTIME_C_ABI_TENSORS_H_
#define UNIVAL_RUNTIME_C_ABI_TENSORS_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sdk/abi/unival_plugin.h"

namespace unival {

struct TensorDeleter {
  void operator()(UnivalTensor* tensor) const;
};
// Calls the deleter once, whatever happens; nothing where there is none.
using OwnedTensor = std::unique_ptr<UnivalTensor, TensorDeleter>;

// Takes charge of what one call handed out, in this order; null stays null. A tensor that is there
// twice, or that an earlier call handed out and the host still holds, would be freed twice:
// InvalidArgument names it, and each tensor is freed once. `what` names the call. Thread-safe.
absl::StatusOr<std::vector<OwnedTensor>> TakeTensors(absl::Span<UnivalTensor* const> handed_out,
                                                     absl::string_view what);

// A tensor over the plugin's memory; the deleter runs when its last user is gone. Two kinds are
// copied because sharing is not safe: read-only tensors, which the host might write to, and bools,
// where any byte but 0 means true. `what` names the tensor in messages. InvalidArgument: what
// CheckTensor finds.
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
