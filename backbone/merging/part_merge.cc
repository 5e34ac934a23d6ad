#include "backbone/merging/part_merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/maximum.h>

#include <algorithm>
#include <cstring>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "backbone/storage/tensor_dtypes.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr char kCounter[] = "num_batches_tracked";

// BatchNorm's running statistics. They are averaged or taken from the first model, because slerp
// needs directions and task vectors need differences, and neither makes sense for means and
// variances.
bool IsStatistics(const std::string& tensor) {
  return absl::EndsWith(tensor, "running_mean") || absl::EndsWith(tensor, "running_var");
}

bool SameBits(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.nbytes() == b.nbytes() &&
         std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

bool AllAlike(const TensorGroup& group) {
  const at::Tensor& first = group.inputs.front();
  return (!group.base.defined() || SameBits(first, group.base)) &&
         absl::c_all_of(group.inputs, [&](const at::Tensor& one) { return SameBits(first, one); });
}

std::vector<double> Shares(std::vector<double> weights) {
  double sum = 0;
  for (double weight : weights) sum += weight;
  for (double& weight : weights) {
    weight = sum > 0 ? weight / sum : 1 / static_cast<double>(weights.size());
  }
  return weights;
}

}  // namespace

PartMerge::PartMerge(const MergeOptions& options, const MergeMethod& method, const MergePart& part)
    : options_(options), method_(method), part_(part) {}

// The method for this part: the chosen one where it can be used, else the average. A method with a
// base cannot be used where the base lacks the part, and one for pairs only where exactly two
// models have it.
const MergeMethod& PartMerge::MethodOf() const {
  const bool usable = method_.needs_base ? part_.base != nullptr
                      : method_.is_pair  ? part_.owners.size() == 2
                                         : true;
  return usable ? method_ : *FindMergeMethod("average");
}

MergeWeights PartMerge::WeightsOf(const std::string& tensor) const {
  MergeWeights weights;
  weights.scale = options_.lambda.value_or(method_.default_scale);
  const std::string name = part_.FullName(tensor);
  for (const PartLambda& rule : options_.parts) {
    if (rule.matches(name)) weights.scale = rule.lambda;
  }
  for (size_t owner : part_.owners) weights.weights.push_back(options_.weights[owner]);
  if (!MethodOf().needs_base) weights.weights = Shares(std::move(weights.weights));
  weights.density = options_.density;
  weights.seed = options_.seed;
  return weights;
}

absl::optional<int> PartMerge::CopiedFrom(const std::string& tensor) const {
  return CopiedTensor(MethodOf(), WeightsOf(tensor));
}

at::ScalarType PartMerge::TypeOf(const std::string& tensor) const {
  std::vector<at::ScalarType> types;
  for (const auto& file : part_.files) {
    types.push_back(TorchDtype(file->tensors().at(tensor).dtype));
  }
  const auto copied = CopiedFrom(tensor);
  if (!copied) return MergedType(types);
  return *copied == kBaseTensor ? TorchDtype(part_.base->tensors().at(tensor).dtype)
                                : types[static_cast<size_t>(*copied)];
}

TensorShapes PartMerge::Shapes() const {
  TensorShapes shapes;
  for (const auto& [name, entry] : part_.files[0]->tensors()) {
    shapes[name] = {TypeOf(name), entry.shape};
  }
  return shapes;
}

absl::StatusOr<TensorGroup> PartMerge::ReadGroup(const std::string& tensor) const {
  TensorGroup group;
  // The name seeds random draws. Blocks of the vocabulary have one name in memory, so the part's id
  // is added: their draws must differ.
  group.name = absl::StrCat(part_.id, ".", tensor);
  for (const auto& file : part_.files) {
    UNIVAL_ASSIGN_OR_RETURN(group.inputs.emplace_back(), file->Read(tensor));
  }
  if (part_.base != nullptr) {
    UNIVAL_ASSIGN_OR_RETURN(group.base, part_.base->Read(tensor));
  }
  return group;
}

absl::StatusOr<at::Tensor> PartMerge::ReadCopy(const std::string& tensor, int owner) const {
  return owner == kBaseTensor ? part_.base->Read(tensor)
                              : part_.files[static_cast<size_t>(owner)]->Read(tensor);
}

absl::StatusOr<at::Tensor> PartMerge::MergeIntegers(const std::string& tensor,
                                                    const TensorGroup& group) {
  if (!absl::EndsWith(tensor, kCounter)) {
    return absl::FailedPreconditionError(absl::StrCat(
        part_.FullName(tensor), ": expected the same integers in all models, got others in ",
        part_.files[0]->path(), " and another; they are no weights and cannot be mixed"));
  }
  at::Tensor merged = group.inputs.front();
  if (options_.counters == "largest") {
    for (const at::Tensor& input : group.inputs) merged = at::maximum(merged, input);
  }
  return merged;
}

at::Tensor PartMerge::MergeStatistics(const TensorGroup& group, const MergeWeights& weights) const {
  MergeWeights shares = weights;
  if (options_.statistics == "first") {
    std::fill(shares.weights.begin() + 1, shares.weights.end(), 0);
    shares.weights.front() = 1;
  } else if (MethodOf().is_pair) {
    shares.weights = {weights.scale, 1 - weights.scale};
  } else {
    shares.weights = Shares(weights.weights);
  }
  return FindMergeMethod("average")->merge(group, shares);
}

absl::Status PartMerge::CheckNumbers(const std::string& tensor, const at::Tensor& merged) const {
  if (IsFinite(merged)) return absl::OkStatus();
  for (const auto& file : part_.files) {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor input, file->Read(tensor));
    if (IsFinite(input)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(file->path(), ": tensor \"", tensor,
                     "\": holds values that are no numbers (NaN or infinity); the weights are "
                     "damaged, or come from a training run that failed"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(part_.FullName(tensor), ": the mixed weights leave the range of their type (",
                   c10::toString(merged.scalar_type()), "); mix less of them"));
}

absl::StatusOr<at::Tensor> PartMerge::Make(const std::string& tensor) {
  UNIVAL_ASSIGN_OR_RETURN(at::Tensor merged, MakeOf(tensor));
  UNIVAL_RETURN_IF_ERROR(
      CatchTorch(part_.FullName(tensor), [&] { return CheckNumbers(tensor, merged); }));
  return merged;
}

absl::StatusOr<at::Tensor> PartMerge::MakeOf(const std::string& tensor) {
  const auto& given = options_.measured.tensors;
  if (const auto found = given.find(part_.FullName(tensor)); found != given.end()) {
    ++measured_;
    return CatchTorch(found->first, [&] { return found->second.to(at::kCPU, TypeOf(tensor)); });
  }
  if (const auto copied = CopiedFrom(tensor)) {
    ++same_;
    return ReadCopy(tensor, *copied);
  }
  UNIVAL_ASSIGN_OR_RETURN(const TensorGroup group, ReadGroup(tensor));
  if (AllAlike(group)) {
    ++same_;
    return group.inputs.front();
  }
  ++mixed_;
  return CatchTorch(part_.FullName(tensor), [&]() -> absl::StatusOr<at::Tensor> {
    if (!group.inputs.front().is_floating_point()) return MergeIntegers(tensor, group);
    const MergeWeights weights = WeightsOf(tensor);
    return IsStatistics(tensor) ? MergeStatistics(group, weights)
                                : MethodOf().merge(group, weights);
  });
}

}  // namespace unival
