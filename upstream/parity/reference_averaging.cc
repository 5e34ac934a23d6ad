#include "upstream/parity/reference_averaging.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "backbone/merging/tensor_merge.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// The entry of that name and shape, or null.
const at::Tensor* FindLike(const TensorMap& tensors, const std::string& name,
                           const at::Tensor& like) {
  const auto found = tensors.find(name);
  return found != tensors.end() && found->second.sizes() == like.sizes() ? &found->second : nullptr;
}

bool IsSkipped(const std::string& name, const std::vector<std::string>& skip) {
  return std::any_of(skip.begin(), skip.end(),
                     [&name](const std::string& part) { return absl::StrContains(name, part); });
}

}  // namespace

absl::StatusOr<TensorMap> InterpolateTensors(const TensorMap& first, const TensorMap& second,
                                             double weight) {
  return CatchTorch("interpolation of weights", [&] {
    const at::NoGradGuard no_grad;
    TensorMap result;
    for (const auto& [name, tensor] : first) {
      const at::Tensor* other = FindLike(second, name, tensor);
      result.emplace(name, Interpolate(tensor, other == nullptr ? tensor : *other, weight));
    }
    return result;
  });
}

absl::StatusOr<TensorMap> SumTensors(const std::vector<WeightedTensors>& terms,
                                     const std::vector<std::string>& skip) {
  if (terms.empty()) return absl::InvalidArgumentError("weighted sum: expected at least one term");
  return CatchTorch("weighted sum of weights", [&] {
    const at::NoGradGuard no_grad;
    TensorMap result;
    for (const auto& [name, tensor] : *terms.front().tensors) {
      at::Tensor sum = tensor * terms.front().weight;
      for (size_t i = 1; i < terms.size(); ++i) {
        const at::Tensor* term =
            IsSkipped(name, skip) ? nullptr : FindLike(*terms[i].tensors, name, tensor);
        sum = AddWeighted(sum, term == nullptr ? sum : *term, terms[i].weight);
      }
      result.emplace(name, std::move(sum));
    }
    return result;
  });
}

}  // namespace unival
