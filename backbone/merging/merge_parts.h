// unival: merge_parts.h - the tensors of a merge, component by component, before any is mixed.
#ifndef UNIVAL_BACKBONE_MERGING_MERGE_PARTS_H_
#define UNIVAL_BACKBONE_MERGING_MERGE_PARTS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backbone/merging/merge_inputs.h"
#include "backbone/storage/tensor_files.h"

namespace unival {

// One component of the merged model that holds tensors.
struct MergePart {
  std::string id;              // "backbone", "tokens.core.bpe", "modality.image", "adapter.depth"
  std::vector<size_t> owners;  // indices of models that have it
  std::vector<std::shared_ptr<const TensorFile>> files;  // of the owners
  std::shared_ptr<const TensorFile> base;  // null where the method takes none or the base lacks it
  bool is_connection = true;  // of the components "adapter.ID": not an adapter of another kind

  // The name that a loaded model gives the tensor, "connection.depth.weight".
  std::string FullName(const std::string& tensor) const;
};

// Every component that holds tensors. FailedPrecondition lists the tensors, up to 20, that differ
// in name, shape or kind of number between two models, or between a model and the base.
absl::StatusOr<std::vector<MergePart>> ComparedParts(const MergeInputs& inputs, bool needs_base);

// FailedPrecondition names matrices of the backbone whose directions have nothing in common with
// the first model's: drawn apart or permuted, whatever the lineage says.
absl::Status CheckWeightsAreRelated(const MergeInputs& inputs, const MergePart& backbone);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_MERGE_PARTS_H_
