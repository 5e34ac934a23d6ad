#include "training/run/start_from.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr char kBackbone[] = "backbone.";

using Meanings = std::map<std::pair<std::string, std::string>, int64_t>;  // to the global id

// Block, and the piece's text or the index. Of several pieces with one text, single bytes come
// first in a tokenizer and whole characters last, so the last is the one that is used.
absl::StatusOr<Meanings> MeaningsOf(const Model& model) {
  const VocabularyView& vocabulary = model.vocabulary();
  const std::string& text_block = model.manifest().tokenizer().block();
  Meanings meanings;
  for (int64_t id = 0; id < vocabulary.size(); ++id) {
    UNIVAL_ASSIGN_OR_RETURN(const BlockToken token, vocabulary.Identify(id));
    std::string meaning = absl::StrCat(token.index);
    if (token.block == text_block) {
      UNIVAL_ASSIGN_OR_RETURN(meaning, vocabulary.DecodeText({id}));
    }
    meanings[{token.block == text_block ? "text" : token.block, std::move(meaning)}] = id;
  }
  return meanings;
}

std::map<std::string, at::Tensor> StateOf(const Model& model) {
  std::map<std::string, at::Tensor> state;
  for (const NamedTensor& entry : model.State()) state[entry.name] = entry.tensor;
  return state;
}

absl::StatusOr<std::unique_ptr<Model>> LoadParent(const std::string& directory,
                                                  const Runtime& runtime, const Model& child) {
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened,
                          OpenedModel::Open(directory, runtime.template_types()));
  ModelLoadOptions options;
  options.all_modalities = false;
  for (const ModalityConfig& config : opened.manifest().modality()) {
    if (absl::c_linear_search(child.known_modalities(), config.id()))
      options.modalities.push_back(config.id());
  }
  return Model::Load(opened, runtime, options);
}

at::Tensor RowsWhere(const std::vector<bool>& chosen, bool value, const at::Tensor& rows) {
  std::vector<int64_t> ids;
  for (size_t id = 0; id < chosen.size(); ++id) {
    if (chosen[id] == value && !rows[static_cast<int64_t>(id)].eq(0).all().item<bool>())
      ids.push_back(static_cast<int64_t>(id));
  }
  return rows.index_select(0, at::tensor(ids, at::kLong));
}

// Output logits are products with these rows: fresh ones that are much smaller than those of a
// trained model would never be said, and what is read from them drowns in the positions. They get
// the same mean square.
void ScaleFreshRows(const std::vector<bool>& is_taken, at::Tensor rows) {
  const at::Tensor taken = RowsWhere(is_taken, true, rows),
                   fresh = RowsWhere(is_taken, false, rows);
  if (taken.numel() == 0 || fresh.numel() == 0) return;
  const at::Tensor scale = (taken.square().mean() / fresh.square().mean()).sqrt();
  for (size_t id = 0; id < is_taken.size(); ++id) {
    if (!is_taken[id]) rows[static_cast<int64_t>(id)].mul_(scale);
  }
}

absl::StatusOr<int64_t> CopyTokenRows(const Model& from, const at::Tensor& source, const Model& to,
                                      at::Tensor target) {
  if (source.size(1) != target.size(1)) {
    return absl::FailedPreconditionError(absl::StrCat("its token embedding is ", source.size(1),
                                                      " wide, expected d_model ", target.size(1),
                                                      "; give both models the same d_model"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const Meanings known, MeaningsOf(from));
  UNIVAL_ASSIGN_OR_RETURN(const Meanings wanted, MeaningsOf(to));
  std::vector<bool> is_taken(static_cast<size_t>(target.size(0)), false);
  for (const auto& [meaning, id] : wanted) {
    const auto found = known.find(meaning);
    if (found == known.end()) continue;
    target[id].copy_(source[found->second]);
    is_taken[id] = true;
  }
  ScaleFreshRows(is_taken, target);
  return absl::c_count(is_taken, true);
}

absl::StatusOr<TakenOver> CopyState(const Model& parent, Model* model) {
  TakenOver taken;
  at::NoGradGuard no_grad;
  const std::map<std::string, at::Tensor> source = StateOf(parent);
  const std::string token_rows = absl::StrCat(kBackbone, kTokenEmbedding);
  int64_t of_backbone = 0;
  for (auto& [name, target] : StateOf(*model)) {
    const auto found = source.find(name);
    if (found == source.end()) continue;
    if (name == token_rows) {
      UNIVAL_ASSIGN_OR_RETURN(taken.token_rows,
                              CopyTokenRows(parent, found->second, *model, target));
    } else if (found->second.sizes() == target.sizes()) {
      at::Tensor(target).copy_(found->second);
      ++taken.tensors;
      if (absl::StartsWith(name, kBackbone)) ++of_backbone;
    }
  }
  if (of_backbone > 0) return taken;
  return absl::FailedPreconditionError(
      "no tensor of its backbone has the name and shape of this one's; give both the same "
      "d_model, heads, ffn_dim and layers");
}

}  // namespace

absl::StatusOr<TakenOver> TakeOver(const std::string& directory, const Runtime& runtime,
                                   Model* model) {
  UNIVAL_ASSIGN_OR_RETURN(const auto parent, LoadParent(directory, runtime, *model));
  UNIVAL_ASSIGN_OR_RETURN(TakenOver taken,
                          CatchTorch(directory, [&] { return CopyState(*parent, model); }));
  UNIVAL_ASSIGN_OR_RETURN(taken.parent_backbone_sha256, parent->BackboneHash());
  return taken;
}

}  // namespace unival
