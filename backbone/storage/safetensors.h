// unival: safetensors.h
//
// Named tensors in safetensors files: read over a memory mapping, written atomically and
// deterministically.
//
//   UNIVAL_RETURN_IF_ERROR(WriteSafetensors("w.safetensors", {{"weight", weight}}));
//   UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, ReadSafetensors("w.safetensors"));
//   UNIVAL_RETURN_IF_ERROR(
//       LoadTensorsInto(NamedTensors(*module), tensors, "backbone", "w.safetensors"));
#ifndef UNIVAL_BACKBONE_STORAGE_SAFETENSORS_H_
#define UNIVAL_BACKBONE_STORAGE_SAFETENSORS_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

using TensorMap = std::map<std::string, at::Tensor>;

struct SafetensorsContents {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

// CPU tensors over a private mapping of the file, which they keep alive; pages load when touched.
// Changing a tensor in place changes memory only. Tensors at odd addresses are copied.
// InvalidArgument names file, tensor, expected and actual; NotFound a missing file.
absl::StatusOr<SafetensorsContents> ReadSafetensorsFile(const std::string& path);
absl::StatusOr<TensorMap> ReadSafetensors(const std::string& path);

// Any device and stride; gradients are left behind. Dtypes float64/32/16, bfloat16, int64/32/16/8,
// uint8, bool. The same tensors give the same bytes. `sha256`, where given, receives the hash of
// the file's bytes (hex), made while they are written: the file is not read again for it.
// InvalidArgument names the tensor and its dtype, other codes tell why the file system refused.
absl::Status WriteSafetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata = {},
                              std::string* sha256 = nullptr);

// sha256 (hex) over name, dtype, shape and bytes of every tensor; strides and devices do not
// matter.
absl::StatusOr<std::string> TensorsSha256(const TensorMap& tensors);

// The same of what LoadTensorsInto makes of `tensors` in a float32 model: float16 and bfloat16
// widened to float32. One tensor in memory at a time.
absl::StatusOr<std::string> TensorsSha256AsLoaded(const TensorMap& tensors);

// Copies `tensors` into `targets` (which share memory with a module's parameters and buffers). The
// names must be the same and so must the shapes; float16 and bfloat16 widen to float32 and float64,
// float32 to float64, other dtypes must be equal. Nothing is copied unless everything fits.
// InvalidArgument starts with `file` and `component` and lists every missing, extra and unfit
// tensor, or names one with values that are no finite numbers.
absl::Status LoadTensorsInto(const TensorMap& targets, const TensorMap& tensors,
                             absl::string_view component, absl::string_view file);

// InvalidArgument starts with `file` and `component` and names the first tensor with a value that
// is NaN or infinite; DataLoss where a mapped file was cut meanwhile.
absl::Status CheckFiniteWeights(const TensorMap& tensors, absl::string_view component,
                                absl::string_view file);

// Whether somebody has looked for values that are no numbers.
enum class WeightValues { kUnchecked, kFinite };

// LoadTensorsInto with as few copies as can be: a target takes the tensor's memory in place of its
// own where both have one dtype, and nobody else holds the tensor or shares either's memory. So the
// weights of a module stay in the file until they are touched, and changing one in place copies its
// pages; the file never changes. Whoever computes with them afterwards asks
// MappedFile::CheckUnchangedAt (sdk/base/mapped_file.h) before the result is believed. `tensors`
// are used up. Where all are known to be finite, their pages are not touched.
absl::Status MoveTensorsInto(const TensorMap& targets, TensorMap tensors,
                             absl::string_view component, absl::string_view file,
                             WeightValues values = WeightValues::kUnchecked);

// Parameters and buffers of a torch::nn::Module by name, sharing memory with it.
template <typename Module>
TensorMap NamedTensors(const Module& module) {
  TensorMap named;
  for (const auto& item : module.named_parameters()) named.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) named.emplace(item.key(), item.value());
  return named;
}

// Those whose names start with `prefix`, without it.
TensorMap TensorsWithPrefix(const TensorMap& tensors, absl::string_view prefix);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_SAFETENSORS_H_
