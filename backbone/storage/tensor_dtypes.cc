#include "backbone/storage/tensor_dtypes.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

constexpr std::pair<SafetensorsDtype, at::ScalarType> kTorchDtypes[] = {
    {SafetensorsDtype::kF64, at::kDouble}, {SafetensorsDtype::kF32, at::kFloat},
    {SafetensorsDtype::kF16, at::kHalf},   {SafetensorsDtype::kBF16, at::kBFloat16},
    {SafetensorsDtype::kI64, at::kLong},   {SafetensorsDtype::kI32, at::kInt},
    {SafetensorsDtype::kI16, at::kShort},  {SafetensorsDtype::kI8, at::kChar},
    {SafetensorsDtype::kU8, at::kByte},    {SafetensorsDtype::kBool, at::kBool},
};

}  // namespace

at::ScalarType TorchDtype(SafetensorsDtype dtype) {
  for (const auto& [file, torch] : kTorchDtypes) {
    if (file == dtype) return torch;
  }
  return at::kFloat;  // unreachable: the table has every value
}

absl::optional<SafetensorsDtype> FileDtype(at::ScalarType dtype) {
  for (const auto& [file, torch] : kTorchDtypes) {
    if (torch == dtype) return file;
  }
  return absl::nullopt;
}

absl::Status CheckBools(const std::string& name, SafetensorsDtype dtype, absl::string_view bytes) {
  if (dtype != SafetensorsDtype::kBool) return absl::OkStatus();
  for (char byte : bytes) {
    if (byte != 0 && byte != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", name, "\": a bool is neither 0 nor 1"));
    }
  }
  return absl::OkStatus();
}

// One pass over the memory: any value that is no finite number makes the sum none. A sum of finite
// values may leave the range too, and only then each is looked at.
bool IsFinite(const at::Tensor& tensor) {
  if (!tensor.is_floating_point() || std::isfinite(tensor.sum().item<double>())) return true;
  return at::isfinite(tensor).all().item<bool>();
}

}  // namespace unival
