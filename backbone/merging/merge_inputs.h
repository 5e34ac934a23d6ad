// unival: merge_inputs.h - the models of a merge, opened and compared before anything is mixed.
#ifndef UNIVAL_BACKBONE_MERGING_MERGE_INPUTS_H_
#define UNIVAL_BACKBONE_MERGING_MERGE_INPUTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backbone/merging/ancestry.h"
#include "backbone/merging/merge.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/tensor_files.h"

namespace unival {

struct MergeInput {
  std::shared_ptr<const ModelDirectory> directory;
  std::string backbone_sha256;

  const std::string& path() const { return directory->path(); }
  const Manifest& manifest() const { return directory->manifest(); }
  Descent descent() const { return {path(), backbone_sha256, &manifest()}; }
};

struct MergeInputs {
  std::vector<MergeInput> models;
  absl::optional<MergeInput> base;
  std::string ancestor_sha256;
};

// Opens all, and asks their lineages unless `allow_unrelated`.
absl::StatusOr<MergeInputs> OpenMergeInputs(const MergeOptions& options);

// One component of the merged model that holds tensors.
struct MergePart {
  std::string id;              // "backbone", "tokens.core.bpe", "modality.image", "adapter.depth"
  std::vector<size_t> owners;  // indices of models that have it
  std::vector<std::shared_ptr<const TensorFile>> files;  // of the owners
  std::shared_ptr<const TensorFile> base;  // null where the method takes none or the base lacks it

  // The name that a loaded model gives the tensor, "connection.depth.weight".
  std::string FullName(const std::string& tensor) const;
};

// What there is to mix, compared: configurations, and every tensor's name and shape.
absl::StatusOr<std::vector<MergePart>> ComparedParts(const MergeInputs& inputs, bool needs_base);

// The manifest of the merged model but for hashes and lineage: vocabulary and modalities of all.
absl::StatusOr<Manifest> JoinedManifest(const MergeInputs& inputs);

// FailedPrecondition names matrices of the backbone whose directions have nothing in common with
// the first model's: drawn apart or permuted, whatever the lineage says.
absl::Status CheckWeightsAreRelated(const MergeInputs& inputs, const MergePart& backbone);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_MERGE_INPUTS_H_
