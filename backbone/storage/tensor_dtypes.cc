#include "backbone/storage/tensor_dtypes.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
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

// Values that are looked at together: the compiler makes vector instructions of a loop of this
// length.
constexpr int64_t kBlock = 512;
// Values that are worth a second thread.
constexpr int64_t kGrain = 1 << 16;

// Whether a value of the block has all bits of its exponent, as only infinities and NaN have.
template <typename Word>
bool AnyAllOnes(const Word* values, int64_t count, Word exponent) {
  Word found = 0;
  if (count == kBlock) {
    for (int64_t i = 0; i < kBlock; ++i) found |= (values[i] & exponent) == exponent ? 1 : 0;
  } else {
    for (int64_t i = 0; i < count; ++i) found |= (values[i] & exponent) == exponent ? 1 : 0;
  }
  return found != 0;
}

// `data`: `count` numbers in the bits of a Word.
template <typename Word>
bool AllFinite(const void* data, int64_t count, Word exponent) {
  const auto* const values = static_cast<const Word*>(data);
  std::atomic<bool> is_finite{true};
  at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end && is_finite; at += kBlock) {
      if (AnyAllOnes(values + at, std::min(kBlock, end - at), exponent)) is_finite = false;
    }
  });
  return is_finite;
}

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

bool IsFinite(const at::Tensor& tensor) {
  if (!tensor.is_floating_point()) return true;
  if (!tensor.is_cpu() || !tensor.is_contiguous()) return at::isfinite(tensor).all().item<bool>();
  const void* const data = tensor.data_ptr();
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return AllFinite<uint32_t>(data, tensor.numel(), 0x7f800000);
    case at::kHalf:
      return AllFinite<uint16_t>(data, tensor.numel(), 0x7c00);
    case at::kBFloat16:
      return AllFinite<uint16_t>(data, tensor.numel(), 0x7f80);
    case at::kDouble:
      return AllFinite<uint64_t>(data, tensor.numel(), 0x7ff0000000000000);
    default:
      return at::isfinite(tensor).all().item<bool>();
  }
}

}  // namespace unival
