// unival: backbone_hash.h - the one hash by which manifests name the weights of a language model.
//
// An adapter records it of the backbone that it was trained against (backbone_sha256), a lineage of
// the model that training began from (parent_backbone_sha256); docs/formats/model_directory.md.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto parent, ModelDirectory::Open("models/nano"));
//   UNIVAL_ASSIGN_OR_RETURN(const bool is_parent,
//                           NamesBackbone(lineage.parent_backbone_sha256(), *parent));
#ifndef UNIVAL_BACKBONE_STORAGE_BACKBONE_HASH_H_
#define UNIVAL_BACKBONE_STORAGE_BACKBONE_HASH_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/safetensors.h"
#include "sdk/proto/vocabulary.pb.h"

namespace unival {

// sha256, hex, over names, dtypes, shapes and elements of AdapterBase(backbone, layout), which
// leaves out what plugins add to the vocabulary. `backbone` holds the embedding as kTokenEmbedding;
// halves count as the float32 that they are loaded as, so a stored and a loaded model agree.
absl::StatusOr<std::string> BackboneSha256(TensorMap backbone, const VocabularyLayout& layout);
// Of the stored tensors, with one of them in memory. Errors: those of ModelDirectory::ComponentPath
// and of reading a file.
absl::StatusOr<std::string> BackboneSha256(const ModelDirectory& model);
// The same of files that are no model directory yet: `path_of` gives the file of a component,
// "backbone" and "tokens.BLOCK".
using ComponentPaths = std::function<absl::StatusOr<std::string>(const std::string& component)>;
absl::StatusOr<std::string> BackboneSha256(const ComponentPaths& path_of,
                                           const VocabularyLayout& layout);

// Whether `recorded` names the backbone of `model`: by BackboneSha256, or by the other hash that
// lineages once held under the same name. For reading manifests that are there.
absl::StatusOr<bool> NamesBackbone(absl::string_view recorded, const ModelDirectory& model);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_BACKBONE_HASH_H_
