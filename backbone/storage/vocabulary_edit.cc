#include "backbone/storage/vocabulary_edit.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/normal.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// Rows [n, D] for a model whose text rows are `text` [N, D].
using FreshRows = at::Tensor (*)(const at::Tensor& text, int64_t count, at::Generator generator);

at::Tensor NormalRows(const at::Tensor& text, int64_t count, at::Generator generator) {
  const int64_t width = text.size(1);
  const double deviation = 1 / std::sqrt(static_cast<double>(width));
  return at::normal(0.0, deviation, {count, width}, std::move(generator));
}

at::Tensor MeanRows(const at::Tensor& text, int64_t count, at::Generator) {
  return text.to(at::kFloat).mean(0, true).expand({count, text.size(1)});
}

constexpr std::pair<const char*, FreshRows> kFreshRows[] = {{"normal", &NormalRows},
                                                            {"mean", &MeanRows}};

absl::StatusOr<FreshRows> FindFreshRows(const std::string& kind) {
  for (const auto& [name, make] : kFreshRows) {
    if (kind == name) return make;
  }
  return absl::InvalidArgumentError(absl::StrCat("fresh rows: expected one of ",
                                                 absl::StrJoin(FreshRowKinds(), ", "), ", got \"",
                                                 kind, "\""));
}

// The same for the same block and seed, on every machine.
at::Generator GeneratorOf(const std::string& block, uint64_t seed) {
  const std::string digest = Sha256Hex(absl::StrCat(block, " ", seed));
  return at::make_generator<at::CPUGeneratorImpl>(std::stoull(digest.substr(0, 15), nullptr, 16));
}

absl::StatusOr<at::Tensor> ReadRows(const ModelDirectory& model, const std::string& block) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors, model.ReadComponent(TokensComponentId(block)));
  auto rows = tensors.find(kTokenRows);
  if (rows == tensors.end() || rows->second.dim() != 2) {
    return absl::InvalidArgumentError(absl::StrCat(model.path(), ": component of block \"", block,
                                                   "\": expected one matrix \"", kTokenRows, "\""));
  }
  return rows->second;
}

// Rows of every block of `layout`: those there are, and fresh ones behind them.
absl::StatusOr<TensorMap> RowsFor(const VocabularyEdit& edit, const ModelDirectory& model,
                                  const VocabularyLayout& layout) {
  TensorMap rows;
  UNIVAL_ASSIGN_OR_RETURN(const FreshRows fresh, FindFreshRows(edit.fresh_rows));
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor text,
                          ReadRows(model, model.manifest().tokenizer().block()));
  for (const VocabularyBlock& block : layout.blocks()) {
    at::Tensor own = text.narrow(0, 0, 0);
    if (FindBlock(model.manifest().vocabulary(), block.id()) != nullptr) {
      UNIVAL_ASSIGN_OR_RETURN(own, ReadRows(model, block.id()));
    }
    const int64_t there = own.size(0), wanted = BlockSize(block);
    if (wanted > there) {
      // All are drawn, so that a block that grows has the rows that it would have had from the
      // start.
      const at::Tensor all = fresh(text, wanted, GeneratorOf(block.id(), edit.seed));
      own = at::cat({own, all.to(text.scalar_type()).narrow(0, there, wanted - there)});
    }
    rows.emplace(block.id(), own.contiguous());
  }
  return rows;
}

absl::StatusOr<VocabularyChange> Write(const VocabularyEdit& edit, const ModelDirectory& model,
                                       const VocabularyLayout& layout, const std::string& act) {
  Manifest manifest = model.manifest();
  *manifest.mutable_vocabulary() = layout;
  Lineage& lineage = *manifest.add_lineage();
  lineage.set_command(act);
  lineage.set_seed(edit.seed);
  lineage.set_note(absl::StrCat("vocabulary ", Fingerprint(layout).substr(0, 16)));
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap rows, RowsFor(edit, model, layout));
  const std::string output = edit.output.empty() ? edit.model : edit.output;
  UNIVAL_ASSIGN_OR_RETURN(
      auto writer, ModelDirectoryWriter::Create(output, {/*overwrite=*/output == edit.model}));
  for (const std::string& id : model.ComponentIds()) {
    if (!absl::StartsWith(id, "tokens.")) {
      UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(model, id));
    }
  }
  for (const auto& [block, tensor] : rows) {
    UNIVAL_RETURN_IF_ERROR(writer->AddTensors(TokensComponentId(block), {{kTokenRows, tensor}}));
  }
  UNIVAL_RETURN_IF_ERROR(writer->Commit(manifest));
  return VocabularyChange{output, LayoutSize(model.manifest().vocabulary()), LayoutSize(layout)};
}

// Changes the model's layout by `change` and writes it.
template <typename Change>
absl::StatusOr<VocabularyChange> Rewrite(const VocabularyEdit& edit, const std::string& act,
                                         Change&& change) {
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(edit.model));
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyLayout layout, change(model->manifest()));
  return CatchTorch(edit.model, [&] { return Write(edit, *model, layout, act); });
}

absl::StatusOr<VocabularyLayout> WithBlocks(VocabularyLayout layout,
                                            const std::vector<BlockSpec>& blocks, bool grow) {
  std::vector<BlockSpec> added;
  for (BlockSpec spec : blocks) {
    const VocabularyBlock* there = FindBlock(layout, spec.id);
    if (spec.owner == "core") {
      if (there == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat("block ", spec.id, "=", spec.size,
                         ": \"core.\" is the model's own, which has no such block"));
      }
      // The model itself says what its own blocks mean, so that a retired one can come back.
      spec.content_hash = there->content_hash();
    }
    if (grow && there != nullptr && BlockSize(*there) < spec.size) {
      // Blocks without a content hash have no meaning that a longer list could contradict.
      UNIVAL_ASSIGN_OR_RETURN(layout,
                              GrowBlock(layout, spec.id, {spec.size, "", spec.content_hash}));
    } else {
      added.push_back(spec);
    }
  }
  return AddBlocks(layout, added);
}

}  // namespace

std::vector<std::string> FreshRowKinds() {
  std::vector<std::string> names;
  for (const auto& entry : kFreshRows) names.emplace_back(entry.first);
  return names;
}

std::string BlockOwner(const std::string& block) { return block.substr(0, block.find('.')); }

absl::StatusOr<VocabularyChange> AddVocabularyBlocks(const VocabularyEdit& edit,
                                                     std::vector<BlockSpec> blocks, bool grow) {
  if (blocks.empty()) return absl::InvalidArgumentError("vocabulary: no block to add");
  std::sort(blocks.begin(), blocks.end(),
            [](const BlockSpec& a, const BlockSpec& b) { return a.id < b.id; });
  std::vector<std::string> names;
  for (const BlockSpec& spec : blocks) names.push_back(absl::StrCat(spec.id, "=", spec.size));
  const std::string act =
      absl::StrCat("vocab add ", absl::StrJoin(names, " "), " init ", edit.fresh_rows);
  return Rewrite(edit, act, [&](const Manifest& manifest) {
    return WithBlocks(manifest.vocabulary(), blocks, grow);
  });
}

absl::StatusOr<VocabularyChange> RetireVocabularyBlock(const VocabularyEdit& edit,
                                                       const std::string& block) {
  const auto without = [&](const Manifest& manifest) -> absl::StatusOr<VocabularyLayout> {
    if (block == manifest.tokenizer().block()) {
      return absl::FailedPreconditionError(
          absl::StrCat(edit.model, ": vocabulary block \"", block,
                       "\" is the tokenizer's; the model could not speak without it"));
    }
    return RetireBlock(manifest.vocabulary(), block);
  };
  return Rewrite(edit, absl::StrCat("vocab retire ", block), without);
}

}  // namespace unival
