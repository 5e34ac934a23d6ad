// unival: merge_inputs.h - the models of a merge, opened and compared before anything is mixed.
#ifndef UNIVAL_BACKBONE_MERGING_MERGE_INPUTS_H_
#define UNIVAL_BACKBONE_MERGING_MERGE_INPUTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "backbone/merging/ancestry.h"
#include "backbone/merging/merge.h"
#include "backbone/storage/model_directory.h"

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

// Opens all models, and checks by their lineages that they are related, unless `allow_unrelated`.
absl::StatusOr<MergeInputs> OpenMergeInputs(const MergeOptions& options);

// The manifest of the merged model but for hashes and lineage: vocabulary and modalities of all.
absl::StatusOr<Manifest> JoinedManifest(const MergeInputs& inputs);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_MERGE_INPUTS_H_
