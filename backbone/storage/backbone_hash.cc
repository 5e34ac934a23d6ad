#include "backbone/storage/backbone_hash.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/tensor_files.h"
#include "backbone/storage/tensor_hash.h"
#include "backbone/storage/tensors_hash.h"
#include "backbone/storage/token_rows.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

absl::StatusOr<TensorMap> StoredBackbone(const ModelDirectory& model) {
  UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, model.ReadComponent("backbone"));
  UNIVAL_ASSIGN_OR_RETURN(tensors[kTokenEmbedding], ReadTokenComponents(model));
  return tensors;
}

// The hash that lineages held before they took the adapters' one: a hash of the hashes of all
// tensors as loaded, with the embedding's rows of plugins.
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

// A piece of a block that lies together in the vocabulary.
struct CoreRows {
  std::string block;
  int64_t first = 0;  // row of the block
  int64_t size = 0;
};

// The rows that AdapterBase takes, by their first global id.
std::map<int64_t, CoreRows> CoreRowsOf(const VocabularyLayout& layout) {
  std::map<int64_t, CoreRows> core;
  for (const VocabularyBlock& block : layout.blocks()) {
    if (!IsCoreBlock(block.id())) continue;
    for (const VocabularyExtent& extent : block.extents()) {
      core[extent.begin()] = {block.id(), extent.local_begin(), extent.size()};
    }
  }
  return core;
}

absl::Status AddEmbedding(const ComponentPaths& path_of, const VocabularyLayout& layout,
                          TensorsHash* hash) {
  std::map<std::string, at::Tensor> blocks;
  const std::map<int64_t, CoreRows> core = CoreRowsOf(layout);
  int64_t rows = 0, width = 0;
  for (const auto& [begin, piece] : core) {
    rows += piece.size;
    at::Tensor& block = blocks[piece.block];
    if (block.defined()) continue;
    UNIVAL_ASSIGN_OR_RETURN(const std::string path, path_of(TokensComponentId(piece.block)));
    UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open(path));
    UNIVAL_ASSIGN_OR_RETURN(block, file->Read(kTokenRows));
    if (width == 0 && block.dim() == 2) width = block.size(1);
    const VocabularyBlock& wanted = *FindBlock(layout, piece.block);
    if (block.dim() == 2 && block.size(0) == BlockSize(wanted) && block.size(1) == width) continue;
    return InvalidArgument(path, ": ", kTokenRows, ": expected [", BlockSize(wanted), ", ", width,
                           "] as the vocabulary says, got ", ShapeText(block));
  }
  hash->BeginRows(kTokenEmbedding, rows, width);
  for (const auto& [begin, piece] : core) {
    UNIVAL_RETURN_IF_ERROR(hash->AddRows(blocks[piece.block].narrow(0, piece.first, piece.size)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> HashStored(const ComponentPaths& path_of,
                                       const VocabularyLayout& layout) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string path, path_of("backbone"));
  UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open(path));
  std::set<std::string> names = {kTokenEmbedding};
  for (const auto& entry : file->tensors()) names.insert(entry.first);
  TensorsHash hash;
  for (const std::string& name : names) {
    if (name == kTokenEmbedding) {
      UNIVAL_RETURN_IF_ERROR(AddEmbedding(path_of, layout, &hash));
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor tensor, file->Read(name));
    UNIVAL_RETURN_IF_ERROR(Annotate(hash.AddAsLoaded(name, tensor), path));
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
  return BackboneSha256([&](const std::string& id) { return model.ComponentPath(id); },
                        model.manifest().vocabulary());
}

absl::StatusOr<std::string> BackboneSha256(const ComponentPaths& path_of,
                                           const VocabularyLayout& layout) {
  return CatchTorch("hash of backbone", [&] { return HashStored(path_of, layout); });
}

absl::StatusOr<bool> NamesBackbone(absl::string_view recorded, const ModelDirectory& model) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string hash, BackboneSha256(model));
  if (recorded == hash) return true;
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors, StoredBackbone(model));
  return CatchTorch("hash of backbone", [&] { return recorded == EarlierParentSha256(tensors); });
}

}  // namespace unival
