#include "runtime/c_abi/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/tensor_types.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// Tensors that were handed out and whose deleters have not been called. Thread-safe.
class HeldTensors {
 public:
  static HeldTensors& OfThisProcess() {
    static auto* const held = new HeldTensors;
    return *held;
  }
  // False: it is held already.
  bool Add(const UnivalTensor* tensor) {
    const absl::MutexLock lock(&mutex_);
    return tensors_.insert(tensor).second;
  }
  void Remove(const UnivalTensor* tensor) {
    const absl::MutexLock lock(&mutex_);
    tensors_.erase(tensor);
  }

 private:
  absl::Mutex mutex_;
  std::unordered_set<const UnivalTensor*> tensors_;
};

at::Tensor Wrap(OwnedTensor owned) {
  const DLTensor& content = owned->dl_tensor;
  const bool is_truth = content.dtype.code == kDLBool;
  const bool is_read_only = (owned->flags & DLPACK_FLAG_BITMASK_READ_ONLY) != 0;
  const at::IntArrayRef sizes(content.shape, content.ndim);
  void* data = static_cast<char*>(content.data) + content.byte_offset;
  // A byte that is neither 0 nor 1 must not be read as a bool.
  const auto options =
      at::TensorOptions().dtype(is_truth ? at::kByte : FindTensorType(content.dtype)->torch);
  std::vector<int64_t> strides(content.ndim, 1);
  for (int i = content.ndim - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * std::max<int64_t>(sizes[i + 1], 1);
  if (content.strides != nullptr) strides.assign(content.strides, content.strides + content.ndim);
  // Shared, because the deleter of a libtorch blob must be copyable.
  std::shared_ptr<UnivalTensor> shared(owned.release(), TensorDeleter());
  const at::Tensor tensor = at::from_blob(
      data, sizes, strides, [shared](void*) {}, options);
  if (is_truth) return tensor.ne(0);
  return is_read_only ? tensor.clone() : tensor;
}

}  // namespace

void TensorDeleter::operator()(UnivalTensor* tensor) const {
  // Before the deleter, behind which the plugin may hand out the same address again.
  HeldTensors::OfThisProcess().Remove(tensor);
  if (tensor->deleter != nullptr) tensor->deleter(tensor);
}

absl::StatusOr<std::vector<OwnedTensor>> TakeTensors(absl::Span<UnivalTensor* const> handed_out,
                                                     absl::string_view what) {
  std::vector<OwnedTensor> owned;
  absl::Status status;
  for (size_t i = 0; i < handed_out.size(); ++i) {
    UnivalTensor* tensor = handed_out[i];
    if (tensor == nullptr || HeldTensors::OfThisProcess().Add(tensor)) {
      owned.emplace_back(tensor);
      continue;
    }
    status = InvalidArgument(what, " handed out tensor ", i,
                             " a second time while the host held it; expected a tensor of its own "
                             "for each, which its deleter frees once");
  }
  if (!status.ok()) return status;
  return owned;
}

absl::StatusOr<at::Tensor> ImportTensor(OwnedTensor tensor, absl::string_view what) {
  UNIVAL_RETURN_IF_ERROR(CheckTensor(what, tensor.get()));
  return CatchTorch(what, [&] { return Wrap(std::move(tensor)); });
}

ExportedTensor::ExportedTensor(const at::Tensor& tensor)
    : tensor_(tensor.cpu().contiguous()), view_{} {
  DLDataType type = {kDLFloat, 32, 1};
  if (const TensorType* known = FindTensorType(tensor_.scalar_type())) type = known->dlpack;
  view_ = {tensor_.data_ptr(),
           {kDLCPU, 0},
           static_cast<int32_t>(tensor_.dim()),
           type,
           const_cast<int64_t*>(tensor_.sizes().data()),
           nullptr,
           0};
}

}  // namespace unival
