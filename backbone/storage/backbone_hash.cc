#include "backbone/storage/backbone_hash.h"

#include <ATen/core/Tensor.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/tensor_hash.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

absl::StatusOr<TensorMap> StoredBackbone(const ModelDirectory& model) {
  UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, model.ReadComponent("backbone"));
  UNIVAL_ASSIGN_OR_RETURN(tensors[kTokenEmbedding], ReadTokenComponents(model));
  return tensors;
}

// As lineages were written before they took the adapters' hash: a hash of the hashes of all tensors
// as loaded, the embedding's rows of plugins among them.
std::string EarlierParentSha256(const TensorMap& backbone) {
  Sha256 hash;
  for (const auto& [name, tensor] : backbone) {
    const bool half = tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16;
    const at::Tensor loaded = half ? tensor.to(at::kFloat) : tensor;
    hash.UpdateField(absl::StrCat("backbone.", name));
    hash.UpdateField(DtypeName(loaded.scalar_type()));
    hash.UpdateField(absl::StrJoin(loaded.sizes(), ","));
    hash.UpdateField(TensorSha256(loaded));
  }
  return hash.HexDigest();
}

}  // namespace

absl::StatusOr<std::string> BackboneSha256(TensorMap backbone, const VocabularyLayout& layout) {
  return CatchTorch("hash of backbone", [&] {
    return TensorsSha256AsLoaded(AdapterBase(std::move(backbone), layout));
  });
}

absl::StatusOr<std::string> BackboneSha256(const ModelDirectory& model) {
  UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, StoredBackbone(model));
  return BackboneSha256(std::move(tensors), model.manifest().vocabulary());
}

absl::StatusOr<bool> NamesBackbone(absl::string_view recorded, const ModelDirectory& model) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors, StoredBackbone(model));
  UNIVAL_ASSIGN_OR_RETURN(const std::string hash,
                          BackboneSha256(tensors, model.manifest().vocabulary()));
  if (recorded == hash) return true;
  return CatchTorch("hash of backbone", [&] { return recorded == EarlierParentSha256(tensors); });
}

}  // namespace unival
