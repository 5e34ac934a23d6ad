#include "backbone/storage/tensor_hash.h"

#include "sdk/base/sha256.h"

namespace unival {

std::string TensorSha256(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  Sha256 hash;
  hash.Update(plain.data_ptr(), plain.nbytes());
  return hash.HexDigest();
}

std::string DtypeName(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

}  // namespace unival
