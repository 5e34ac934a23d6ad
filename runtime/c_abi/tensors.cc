#include "runtime/c_abi/tensors.h"

#include <ATen/ops/from_blob.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 40;

struct TypePair {
  DLDataType dlpack;
  at::ScalarType torch;
};

constexpr TypePair kTypes[] = {
    {{kDLFloat, 32, 1}, at::kFloat}, {{kDLFloat, 64, 1}, at::kDouble},
    {{kDLFloat, 16, 1}, at::kHalf},  {{kDLBfloat, 16, 1}, at::kBFloat16},
    {{kDLInt, 8, 1}, at::kChar},     {{kDLInt, 16, 1}, at::kShort},
    {{kDLInt, 32, 1}, at::kInt},     {{kDLInt, 64, 1}, at::kLong},
    {{kDLUInt, 8, 1}, at::kByte},    {{kDLBool, 8, 1}, at::kBool},
};

bool Same(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

const TypePair* FindType(DLDataType type) {
  for (const TypePair& pair : kTypes) {
    if (Same(pair.dlpack, type)) return &pair;
  }
  return nullptr;
}

// The problem with a tensor's shape, strides and data, or nothing.
std::string CheckShape(const DLTensor& tensor) {
  if (tensor.ndim < 0 || tensor.ndim > kMaxDimensions ||
      (tensor.ndim > 0 && tensor.shape == nullptr)) {
    return absl::StrCat(tensor.ndim, " dimensions, expected 0..", kMaxDimensions,
                        " with their sizes");
  }
  int64_t elements = 1;
  for (int32_t i = 0; i < tensor.ndim; ++i) {
    const int64_t size = tensor.shape[i];
    if (size < 0 || (size > 0 && elements > kMaxElements / size)) {
      return absl::StrCat("dimension ", i, " has size ", size);
    }
    if (tensor.strides != nullptr && tensor.strides[i] < 0)
      return absl::StrCat("dimension ", i, " has a negative stride");
    elements *= size;
  }
  return elements > 0 && tensor.data == nullptr ? "no data" : "";
}

std::string Check(const UnivalTensor* tensor) {
  if (tensor == nullptr) return "null";
  if (tensor->version.major != DLPACK_MAJOR_VERSION) {
    return absl::StrCat("DLPack version ", tensor->version.major, ".", tensor->version.minor,
                        ", expected ", DLPACK_MAJOR_VERSION, ".x");
  }
  const DLTensor& content = tensor->dl_tensor;
  if (content.device.device_type != kDLCPU) {
    return absl::StrCat("device type ", content.device.device_type, ", expected the CPU (1)");
  }
  if (FindType(content.dtype) == nullptr) {
    return absl::StrCat("type code ", content.dtype.code, " of ", content.dtype.bits, " bits and ",
                        content.dtype.lanes, " lanes");
  }
  return CheckShape(content);
}

at::Tensor Wrap(OwnedTensor owned) {
  const DLTensor& content = owned->dl_tensor;
  const at::IntArrayRef sizes(content.shape, content.ndim);
  void* data = static_cast<char*>(content.data) + content.byte_offset;
  const auto options = at::TensorOptions().dtype(FindType(content.dtype)->torch);
  std::vector<int64_t> strides(content.ndim, 1);
  for (int i = content.ndim - 2; i >= 0; --i) strides[i] = strides[i + 1] * sizes[i + 1];
  if (content.strides != nullptr) strides.assign(content.strides, content.strides + content.ndim);
  // Shared, because the deleter of a libtorch blob must be copyable.
  std::shared_ptr<UnivalTensor> shared(owned.release(), TensorDeleter());
  return at::from_blob(
      data, sizes, strides, [shared](void*) {}, options);
}

}  // namespace

absl::StatusOr<at::Tensor> ImportTensor(OwnedTensor tensor, absl::string_view what) {
  const std::string problem = Check(tensor.get());
  if (!problem.empty())
    return absl::InvalidArgumentError(absl::StrCat(what, " is not a usable tensor: ", problem));
  return CatchTorch(what, [&] { return Wrap(std::move(tensor)); });
}

ExportedTensor::ExportedTensor(const at::Tensor& tensor)
    : tensor_(tensor.cpu().contiguous()), view_{} {
  DLDataType type = {kDLFloat, 32, 1};
  for (const TypePair& pair : kTypes) {
    if (pair.torch == tensor_.scalar_type()) type = pair.dlpack;
  }
  view_ = {tensor_.data_ptr(),
           {kDLCPU, 0},
           static_cast<int32_t>(tensor_.dim()),
           type,
           const_cast<int64_t*>(tensor_.sizes().data()),
           nullptr,
           0};
}

}  // namespace unival
