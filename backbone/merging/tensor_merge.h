// unival: tensor_merge.h - one tensor of a merged model, by the methods of merging.
//
//   TensorGroup group;                       // the same tensor of two models of one ancestor
//   group.inputs = {a, b};
//   MergeWeights weights;
//   weights.scale = 0.3;
//   FindMergeMethod("interpolate")->merge(group, weights);        // 0.3 a + 0.7 b
//
// Sources: Wortsman et al., "Model soups", 2022 (average); Shoemake, "Animating rotation with
// quaternion curves", 1985 (slerp); Ilharco et al., "Editing models with task arithmetic", 2023;
// Yadav et al., "TIES-Merging", 2023; Yu et al., "Language models are super Mario", 2024 (DARE).
// Interpolation and average compute as the reference's preprocess/average_save_models.py: in the
// stored type, every product and sum rounded. The others compute in float32 (float64 for float64)
// and round once.
#ifndef UNIVAL_BACKBONE_MERGING_TENSOR_MERGE_H_
#define UNIVAL_BACKBONE_MERGING_TENSOR_MERGE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"

namespace unival {

// The same tensor of every model: equal shapes, floating types.
struct TensorGroup {
  std::vector<at::Tensor> inputs;  // one or more
  at::Tensor base;                 // of the common ancestor; undefined where the method takes none
  std::string name;                // full, "backbone.encoder.layers.0.fc1.weight": seeds draws
};

struct MergeWeights {
  // The lambda: of the first model for `interpolate` and `slerp` (the second has 1 - scale), of the
  // sum of task vectors for methods with a base. `average` takes none.
  double scale = 1;
  // One for each input: shares of `average`, which add up to 1; factors of the task vectors (TIES:
  // shares in the mean of those that agree).
  std::vector<double> weights;
  double density = 0.2;  // share of each task vector that TIES and DARE keep, in (0, 1]
  uint64_t seed = 0;     // of DARE
};

struct MergeMethod {
  const char* name;
  const char* summary;
  bool is_pair;     // exactly two models, weighed by lambda
  bool needs_base;  // works on differences from the common ancestor
  double default_scale;
  // CPU tensors; the result has the widest type of the inputs. Throws what libtorch throws.
  at::Tensor (*merge)(const TensorGroup& group, const MergeWeights& weights);
};

// Null where no method has that name.
const MergeMethod* FindMergeMethod(const std::string& name);
std::vector<std::string> MergeMethodNames();

// The tensor of which the result is a copy, to the bit, whatever the tensors hold: an input's
// index, or kBaseTensor. Nothing where the weights really mix tensors. So lambda 0 and 1 give the
// inputs back.
constexpr int kBaseTensor = -1;
absl::optional<int> CopiedTensor(const MergeMethod& method, const MergeWeights& weights);

// weight * first + (1 - weight) * second.
at::Tensor Interpolate(const at::Tensor& first, const at::Tensor& second, double weight);
// sum + weight * term, for sums that begin with weight * first.
at::Tensor AddWeighted(const at::Tensor& sum, const at::Tensor& term, double weight);

// The widest type of all inputs.
at::ScalarType MergedType(const std::vector<at::ScalarType>& types);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_TENSOR_MERGE_H_
