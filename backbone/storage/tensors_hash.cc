#include "backbone/storage/tensors_hash.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"
#include "backbone/storage/tensor_dtypes.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

at::Tensor Loaded(const at::Tensor& tensor) {
  const bool half = tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16;
  return half ? tensor.to(at::kFloat) : tensor;
}

at::Tensor Plain(const at::Tensor& tensor) { return tensor.detach().to(at::kCPU).contiguous(); }

}  // namespace

TensorsHash::TensorsHash() { hash_.UpdateField("unival tensors 1"); }

void TensorsHash::Begin(const std::string& name, absl::string_view dtype, at::IntArrayRef sizes,
                        uint64_t bytes) {
  hash_.UpdateField(name);
  hash_.UpdateField(dtype);
  hash_.UpdateInteger(sizes.size());
  for (int64_t size : sizes) hash_.UpdateInteger(static_cast<uint64_t>(size));
  hash_.UpdateInteger(bytes);
}

absl::Status TensorsHash::Add(const std::string& name, const at::Tensor& tensor) {
  const std::string where = absl::StrCat("tensor \"", name, "\"");
  return CatchTorch(where, [&]() -> absl::Status {
    if (!tensor.defined()) return absl::InvalidArgumentError(absl::StrCat(where, " is undefined"));
    const auto dtype = FileDtype(tensor.scalar_type());
    if (!dtype || tensor.layout() != at::kStrided) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": safetensors cannot hold ", TensorText(tensor)));
    }
    const at::Tensor plain = Plain(tensor);
    Begin(name, DtypeName(*dtype), plain.sizes(), plain.nbytes());
    hash_.Update(plain.data_ptr(), plain.nbytes());
    return MappedFile::CheckAt(tensor.data_ptr());
  });
}

absl::Status TensorsHash::AddAsLoaded(const std::string& name, const at::Tensor& tensor) {
  return CatchTorch(absl::StrCat("tensor \"", name, "\""), [&]() -> absl::Status {
    if (!tensor.defined()) return Add(name, tensor);
    UNIVAL_RETURN_IF_ERROR(Add(name, Loaded(tensor)));
    return MappedFile::CheckAt(tensor.data_ptr());
  });
}

void TensorsHash::BeginRows(const std::string& name, int64_t rows, int64_t width) {
  Begin(name, DtypeName(SafetensorsDtype::kF32), {rows, width},
        static_cast<uint64_t>(rows * width) * sizeof(float));
}

absl::Status TensorsHash::AddRows(const at::Tensor& part) {
  return CatchTorch("rows of a tensor", [&]() -> absl::Status {
    const at::Tensor plain = Plain(Loaded(part));
    if (plain.scalar_type() != at::kFloat) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected float32 when loaded, got ", TensorText(part)));
    }
    hash_.Update(plain.data_ptr(), plain.nbytes());
    return absl::OkStatus();
  });
}

}  // namespace unival
