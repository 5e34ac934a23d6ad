#include "backbone/merging/tensor_merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "sdk/base/random.h"

namespace unival {
namespace {

// Above this cosine the arc is a line in float32, and the sine of its angle, a divisor, is near 0.
constexpr double kParallel = 1 - 1e-7;

at::ScalarType ComputeType(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

at::Tensor Wide(const at::Tensor& tensor) { return tensor.to(ComputeType(tensor)); }

at::ScalarType TypeOf(const TensorGroup& group) {
  std::vector<at::ScalarType> types;
  for (const at::Tensor& input : group.inputs) types.push_back(input.scalar_type());
  return MergedType(types);
}

at::Tensor MergePair(const TensorGroup& group, const MergeWeights& weights) {
  const at::ScalarType type = TypeOf(group);
  return Interpolate(group.inputs[0].to(type), group.inputs[1].to(type), weights.scale);
}

at::Tensor Average(const TensorGroup& group, const MergeWeights& weights) {
  const at::ScalarType type = TypeOf(group);
  at::Tensor sum;
  for (size_t i = 0; i < group.inputs.size(); ++i) {
    // An input of weight 0 is left out, because 0 times infinity is NaN.
    if (weights.weights[i] == 0) continue;
    const at::Tensor term = group.inputs[i].to(type);
    sum = sum.defined() ? AddWeighted(sum, term, weights.weights[i]) : term * weights.weights[i];
  }
  return sum;
}

// Along the great circle between the two directions; t = 0 is the first, t = 1 the second.
at::Tensor Slerp(const TensorGroup& group, const MergeWeights& weights) {
  const at::Tensor a = Wide(group.inputs[0]), b = Wide(group.inputs[1]);
  const double t = 1 - weights.scale;
  const at::Tensor flat_a = a.reshape(-1).to(at::kDouble), flat_b = b.reshape(-1).to(at::kDouble);
  const double norms =
      std::sqrt(flat_a.dot(flat_a).item<double>()) * std::sqrt(flat_b.dot(flat_b).item<double>());
  const double cosine = norms > 0 ? flat_a.dot(flat_b).item<double>() / norms : 1;
  if (std::abs(cosine) >= kParallel) return MergePair(group, weights);
  const double angle = std::acos(cosine), sine = std::sin(angle);
  const at::Tensor merged =
      a * (std::sin((1 - t) * angle) / sine) + b * (std::sin(t * angle) / sine);
  return merged.to(TypeOf(group));
}

std::vector<at::Tensor> TaskVectors(const TensorGroup& group) {
  std::vector<at::Tensor> vectors;
  for (const at::Tensor& input : group.inputs) {
    const at::ScalarType type = c10::promoteTypes(ComputeType(input), ComputeType(group.base));
    vectors.push_back(input.to(type) - group.base.to(type));
  }
  return vectors;
}

// base + scale * change.
at::Tensor Applied(const TensorGroup& group, const at::Tensor& change, double scale) {
  return (group.base.to(change.scalar_type()) + change * scale).to(TypeOf(group));
}

at::Tensor WeightedSum(const std::vector<at::Tensor>& vectors, const std::vector<double>& weights) {
  at::Tensor sum = at::zeros_like(vectors[0]);
  for (size_t i = 0; i < vectors.size(); ++i) sum += vectors[i] * weights[i];
  return sum;
}

at::Tensor TaskArithmetic(const TensorGroup& group, const MergeWeights& weights) {
  return Applied(group, WeightedSum(TaskVectors(group), weights.weights), weights.scale);
}

// Keeps the share `density` of the numbers, those of the largest size, and sets the others to 0.
// Numbers of the size of the smallest kept one are kept, too.
at::Tensor Trimmed(const at::Tensor& vector, double density) {
  const auto count = static_cast<double>(vector.numel());
  const auto kept = static_cast<int64_t>(std::max(1.0, std::round(density * count)));
  if (kept >= vector.numel()) return vector;
  const at::Tensor size = vector.abs();
  const at::Tensor least = std::get<0>(size.reshape(-1).topk(kept)).min();
  return vector * size.ge(least).to(vector.scalar_type());
}

// TIES: trims each task vector, elects a sign for every number (that of the weighted sum), and
// takes the mean of the vectors whose number has it.
at::Tensor Ties(const TensorGroup& group, const MergeWeights& weights) {
  std::vector<at::Tensor> vectors = TaskVectors(group);
  for (at::Tensor& vector : vectors) vector = Trimmed(vector, weights.density);
  const at::Tensor sign = WeightedSum(vectors, weights.weights).sign();
  at::Tensor sum = at::zeros_like(sign), share = at::zeros_like(sign);
  for (size_t i = 0; i < vectors.size(); ++i) {
    const at::Tensor agrees = (vectors[i].sign().eq(sign) & sign.ne(0)).to(sign.scalar_type());
    sum += vectors[i] * agrees * weights.weights[i];
    share += agrees * weights.weights[i];
  }
  return Applied(group, sum / share.masked_fill(share.eq(0), 1), weights.scale);
}

// Drops each number with probability 1 - density and divides the others by density. Whether a
// number is dropped depends only on the seed, its model, its tensor and its place.
at::Tensor Dropped(const at::Tensor& vector, double density, uint64_t seed) {
  const at::Tensor mask = at::empty_like(vector, at::kFloat, at::MemoryFormat::Contiguous);
  float* keep = mask.data_ptr<float>();
  SeededRandom random(seed);
  for (int64_t i = 0; i < mask.numel(); ++i) keep[i] = random.Uniform(0, 1) < density ? 1.f : 0.f;
  return vector * mask / density;
}

at::Tensor Dare(const TensorGroup& group, const MergeWeights& weights) {
  std::vector<at::Tensor> vectors = TaskVectors(group);
  for (size_t i = 0; i < vectors.size(); ++i) {
    vectors[i] = Dropped(vectors[i], weights.density, Mix(weights.seed, i, Fnv1a(group.name)));
  }
  return Applied(group, WeightedSum(vectors, weights.weights), weights.scale);
}

constexpr MergeMethod kMethods[] = {
    {"average", "the mean of all, or their sum weighted by --weight", false, false, 1, &Average},
    {"interpolate", "lambda of the first and 1 - lambda of the second", true, false, 0.5,
     &MergePair},
    {"slerp", "the same along the arc between two directions", true, false, 0.5, &Slerp},
    {"task_arithmetic", "the base and lambda times the sum of all differences from it", false, true,
     1, &TaskArithmetic},
    {"ties", "the same of the largest differences that agree in sign", false, true, 1, &Ties},
    {"dare", "the same of differences that are dropped at random and rescaled", false, true, 1,
     &Dare},
};

// The one input that has weight 1 where all others have 0.
absl::optional<int> OnlyOne(const std::vector<double>& weights) {
  absl::optional<int> found;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    if (weights[i] != 1 || found) return absl::nullopt;
    found = static_cast<int>(i);
  }
  return found;
}

}  // namespace

const MergeMethod* FindMergeMethod(const std::string& name) {
  for (const MergeMethod& method : kMethods) {
    if (name == method.name) return &method;
  }
  return nullptr;
}

std::vector<std::string> MergeMethodNames() {
  std::vector<std::string> names;
  for (const MergeMethod& method : kMethods) names.emplace_back(method.name);
  return names;
}

absl::optional<int> CopiedTensor(const MergeMethod& method, const MergeWeights& weights) {
  if (method.is_pair) {
    if (weights.scale == 1) return 0;
    return weights.scale == 0 ? absl::optional<int>(1) : absl::nullopt;
  }
  if (!method.needs_base) return OnlyOne(weights.weights);
  std::vector<double> factors = weights.weights;
  for (double& factor : factors) factor *= weights.scale;
  if (std::all_of(factors.begin(), factors.end(), [](double factor) { return factor == 0; })) {
    return kBaseTensor;
  }
  // With one input alone the result is that input only if the method keeps the whole difference.
  const bool is_whole = method.merge == &TaskArithmetic || weights.density == 1;
  return is_whole ? OnlyOne(factors) : absl::nullopt;
}

at::Tensor Interpolate(const at::Tensor& first, const at::Tensor& second, double weight) {
  const at::NoGradGuard no_grad;
  return first * weight + second * (1 - weight);
}

at::Tensor AddWeighted(const at::Tensor& sum, const at::Tensor& term, double weight) {
  const at::NoGradGuard no_grad;
  return sum + term * weight;
}

at::ScalarType MergedType(const std::vector<at::ScalarType>& types) {
  at::ScalarType merged = types.front();
  for (at::ScalarType type : types) merged = c10::promoteTypes(merged, type);
  return merged;
}

}  // namespace unival
