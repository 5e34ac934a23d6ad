// unival: part_merge.h - the tensors of one component of a merged model, made one at a time.
#ifndef UNIVAL_BACKBONE_MERGING_PART_MERGE_H_
#define UNIVAL_BACKBONE_MERGING_PART_MERGE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "backbone/merging/merge.h"
#include "backbone/merging/merge_parts.h"
#include "backbone/merging/tensor_merge.h"

namespace unival {

// Merges one component, tensor by tensor. For one thread; all arguments must outlive it.
class PartMerge {
 public:
  // `options` are complete: a weight for every model.
  PartMerge(const MergeOptions& options, const MergeMethod& method, const MergePart& part);

  TensorShapes Shapes() const;
  absl::StatusOr<at::Tensor> Make(const std::string& tensor);

  int64_t mixed() const { return mixed_; }
  int64_t same() const { return same_; }
  int64_t measured() const { return measured_; }

 private:
  const MergeMethod& MethodOf() const;
  MergeWeights WeightsOf(const std::string& tensor) const;
  // The index of the input (or kBaseTensor) that the result copies, whatever the tensors hold;
  // nothing where tensors are mixed.
  absl::optional<int> CopiedFrom(const std::string& tensor) const;
  absl::StatusOr<TensorGroup> ReadGroup(const std::string& tensor) const;
  absl::StatusOr<at::Tensor> ReadCopy(const std::string& tensor, int owner) const;
  absl::StatusOr<at::Tensor> MergeIntegers(const std::string& tensor, const TensorGroup& group);
  absl::StatusOr<at::Tensor> MakeOf(const std::string& tensor);
  // The dtype in which the merged tensor is stored.
  at::ScalarType TypeOf(const std::string& tensor) const;
  // FailedPrecondition where `merged` holds NaN or infinity. It names the input file that holds
  // such values, or says that the mixed values leave the range of their dtype.
  absl::Status CheckNumbers(const std::string& tensor, const at::Tensor& merged) const;
  at::Tensor MergeStatistics(const TensorGroup& group, const MergeWeights& weights) const;

  const MergeOptions& options_;
  const MergeMethod& method_;
  const MergePart& part_;
  int64_t mixed_ = 0, same_ = 0, measured_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_PART_MERGE_H_
