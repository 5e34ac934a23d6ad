// unival: golden.h
//
// Reads golden tensors, and computes weights and inputs by a formula, so that they need not be
// stored (tests/golden/README.md). For tests and `unival parity`.
//
//   FillByFormula(*network, "encoder.embed_images.", /*seed=*/1);
//   at::Tensor input =
//       GoldenInput("input.image_96x64.x", /*seed=*/31, {2, 3, 96, 64}, /*amplitude=*/1);
//   TensorMap expected = LoadSafetensors("tests/golden/tiny/encoders.safetensors").value();
//   EXPECT_LT(MaxDifference(network->forward(input), expected.at("image_96x64/trunk")), 1e-4);
#ifndef UNIVAL_SDK_TESTING_GOLDEN_H_
#define UNIVAL_SDK_TESTING_GOLDEN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace torch {
namespace nn {
class Module;
}  // namespace nn
}  // namespace torch

namespace unival {

using TensorMap = std::map<std::string, at::Tensor>;

// All tensors of a safetensors file, copied into memory. NotFound or InvalidArgument name the file.
absl::StatusOr<TensorMap> LoadSafetensors(const std::string& path);

// The value r of the formula, in [-1, 1), for element `index` (flat, row-major) of the tensor
// `name`.
double GoldenValue(uint64_t seed, const std::string& name, uint64_t index);

// A float32 tensor with the values offset + amplitude * r. Inputs use the name
// "input.<case>.<field>".
at::Tensor GoldenInput(const std::string& name, uint64_t seed, const std::vector<int64_t>& shape,
                       double amplitude, double offset = 0);

// The integers low + floor((r + 1) / 2 * (high - low)).
std::vector<int64_t> GoldenIntegers(const std::string& name, uint64_t seed, int64_t count,
                                    int64_t low, int64_t high);

// Overwrites one tensor with the values that the formula gives for its name (weights, biases,
// norms, running statistics). Tensors with computed values (relative-position buckets, spectrogram
// constants) are not changed. `name` is the name in the reference's state_dict; the three tied
// embeddings share one name.
void FillTensorByFormula(const std::string& name, uint64_t seed, at::Tensor tensor);

// The same for all parameters and buffers of a module. `prefix` is put before their names.
void FillByFormula(torch::nn::Module& module, const std::string& prefix, uint64_t seed);

// Largest |a - b| over all elements, in double; infinity when the shapes differ or a value is not
// finite.
double MaxDifference(const at::Tensor& a, const at::Tensor& b);

}  // namespace unival

#endif  // UNIVAL_SDK_TESTING_GOLDEN_H_
