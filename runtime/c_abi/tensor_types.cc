#include "runtime/c_abi/tensor_types.h"

namespace unival {
namespace {

constexpr TensorType kTypes[] = {
    {{kDLFloat, 32, 1}, c10::kFloat}, {{kDLFloat, 64, 1}, c10::kDouble},
    {{kDLFloat, 16, 1}, c10::kHalf},  {{kDLBfloat, 16, 1}, c10::kBFloat16},
    {{kDLInt, 8, 1}, c10::kChar},     {{kDLInt, 16, 1}, c10::kShort},
    {{kDLInt, 32, 1}, c10::kInt},     {{kDLInt, 64, 1}, c10::kLong},
    {{kDLUInt, 8, 1}, c10::kByte},    {{kDLBool, 8, 1}, c10::kBool},
};

bool Same(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

}  // namespace

const TensorType* FindTensorType(DLDataType type) {
  for (const TensorType& known : kTypes) {
    if (Same(known.dlpack, type)) return &known;
  }
  return nullptr;
}

const TensorType* FindTensorType(c10::ScalarType type) {
  for (const TensorType& known : kTypes) {
    if (known.torch == type) return &known;
  }
  return nullptr;
}

}  // namespace unival
