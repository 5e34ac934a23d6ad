// unival: tensors_hash.h - the one hash of named tensors, fed a tensor at a time
// (docs/formats/model_directory.md, "One hash of a backbone").
//
//   TensorsHash hash;
//   for (...) UNIVAL_RETURN_IF_ERROR(hash.AddAsLoaded(name, tensor));   // in order of names
//   hash.HexDigest();
#ifndef UNIVAL_BACKBONE_STORAGE_TENSORS_HASH_H_
#define UNIVAL_BACKBONE_STORAGE_TENSORS_HASH_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sdk/base/sha256.h"

namespace unival {

// One thread at a time. Tensors come in order of their names, or the hash is another one.
class TensorsHash {
 public:
  TensorsHash();

  // Any device and strides. InvalidArgument for a dtype that safetensors cannot hold.
  absl::Status Add(const std::string& name, const at::Tensor& tensor);
  // What a float32 model loads: float16 and bfloat16 widened to float32.
  absl::Status AddAsLoaded(const std::string& name, const at::Tensor& tensor);
  // The same of one tensor of float32 as loaded, [rows, width], that comes in parts along its first
  // dimension: name and size first, then the parts.
  void BeginRows(const std::string& name, int64_t rows, int64_t width);
  absl::Status AddRows(const at::Tensor& part);

  std::string HexDigest() { return hash_.HexDigest(); }

 private:
  void Begin(const std::string& name, absl::string_view dtype, at::IntArrayRef sizes,
             uint64_t bytes);

  Sha256 hash_;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_TENSORS_HASH_H_
