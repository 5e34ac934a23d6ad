// unival: tensor_hash.h - the SHA-256 of one tensor's elements, and the name of their type.
//
//   TensorSha256(weight)                              // "9f86d0…", 64 characters
//   DtypeName(weight.scalar_type())                   // "float32"
//
// Hashes of many tensors together: TensorsSha256 in safetensors.h.
#ifndef UNIVAL_BACKBONE_STORAGE_TENSOR_HASH_H_
#define UNIVAL_BACKBONE_STORAGE_TENSOR_HASH_H_

#include <ATen/core/Tensor.h>

#include <string>

namespace unival {

// Of the elements alone, row-major, little endian: neither shape nor type is in it.
std::string TensorSha256(const at::Tensor& tensor);

// "float32", "bfloat16", "int64", "bool", …
std::string DtypeName(at::ScalarType type);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_TENSOR_HASH_H_
