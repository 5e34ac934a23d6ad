#include "backbone/storage/token_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/tensor_files.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

std::vector<std::string> RowDifferences(const TensorMap& rows, const VocabularyLayout& layout) {
  std::vector<std::string> lines;
  const at::Tensor* first = rows.empty() ? nullptr : &rows.begin()->second;
  const int64_t width = first && first->dim() == 2 ? first->size(1) : 0;
  for (const VocabularyBlock& block : layout.blocks()) {
    const int64_t size = BlockSize(block);
    auto found = rows.find(block.id());
    if (found == rows.end()) {
      lines.push_back(absl::StrCat("missing: ", block.id(), " with ", size, " rows"));
    } else if (found->second.dim() != 2 || found->second.size(0) != size ||
               found->second.size(1) != width ||
               found->second.scalar_type() != first->scalar_type()) {
      lines.push_back(absl::StrCat(block.id(), ": expected ", c10::toString(first->scalar_type()),
                                   " [", size, ", ", width, "], got ", TensorText(found->second)));
    }
  }
  for (const auto& [id, tensor] : rows) {
    if (!FindBlock(layout, id))
      lines.push_back(absl::StrCat("extra: ", id, " ", ShapeText(tensor)));
  }
  return lines;
}

absl::Status CheckRows(const TensorMap& rows, const VocabularyLayout& layout) {
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  const auto lines = RowDifferences(rows, layout);
  if (lines.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("token rows do not fit the vocabulary:\n  ", absl::StrJoin(lines, "\n  ")));
}

// All rows to their places in `embedding`, but those of the extent `without`.
void CopyRows(const TensorMap& rows, const VocabularyLayout& layout,
              const VocabularyExtent* without, const at::Tensor& embedding) {
  at::NoGradGuard no_grad;
  for (const VocabularyBlock& block : layout.blocks()) {
    for (const VocabularyExtent& extent : block.extents()) {
      if (&extent == without) continue;
      embedding.narrow(0, extent.begin(), extent.size())
          .copy_(rows.at(block.id()).narrow(0, extent.local_begin(), extent.size()));
    }
  }
}

// Rows that lie together, in the vocabulary and in the file of their block.
struct RowRun {
  const VocabularyBlock* block = nullptr;
  const VocabularyExtent* extent = nullptr;
};

RowRun LongestRun(const VocabularyLayout& layout) {
  RowRun longest;
  for (const VocabularyBlock& block : layout.blocks()) {
    for (const VocabularyExtent& extent : block.extents()) {
      if (longest.extent == nullptr || extent.size() > longest.extent->size()) {
        longest = {&block, &extent};
      }
    }
  }
  return longest;
}

// Copying fewer bytes takes no longer than mapping them.
constexpr int64_t kWorthMapping = 1 << 20;

// The memory of the whole embedding, in which the rows of `run` are those of their file and others
// are not set. Undefined where they have to be copied.
absl::StatusOr<at::Tensor> RowsInFile(const ModelDirectory& model, const RowRun& run,
                                      const TensorMap& rows) {
  const at::Tensor& stored = rows.at(run.block->id());
  const int64_t row_bytes = stored.size(1) * static_cast<int64_t>(sizeof(float));
  if (stored.scalar_type() != at::kFloat || run.extent->size() * row_bytes < kWorthMapping) {
    return at::Tensor();
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::string path,
                          model.ComponentPath(TokensComponentId(run.block->id())));
  UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open(path));
  const auto entry = file->tensors().find(kTokenRows);
  if (entry == file->tensors().end() || stored.sizes() != entry->second.shape) return at::Tensor();
  const int64_t size = LayoutSize(model.manifest().vocabulary());
  const int64_t begin = entry->second.begin + run.extent->local_begin() * row_bytes;
  MappedFile::Part part;
  part.begin = static_cast<size_t>(begin);
  part.end = static_cast<size_t>(begin + run.extent->size() * row_bytes);
  part.before = static_cast<size_t>(run.extent->begin() * row_bytes);
  part.after = static_cast<size_t>((size - run.extent->begin() - run.extent->size()) * row_bytes);
  UNIVAL_ASSIGN_OR_RETURN(const auto mapped, MappedFile::OpenPart(path, part));
  const char* const data = mapped->bytes().data();
  if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0) return at::Tensor();
  return at::from_blob(
      const_cast<char*>(data), {size, stored.size(1)}, [mapped](void*) {},
      at::TensorOptions().dtype(at::kFloat));
}

// Block id -> its rows, each read by `read`.
absl::StatusOr<TensorMap> ReadRows(
    const ModelDirectory& model,
    absl::StatusOr<TensorMap> (ModelDirectory::*read)(absl::string_view) const) {
  TensorMap rows;
  for (const VocabularyBlock& block : model.manifest().vocabulary().blocks()) {
    const std::string id = TokensComponentId(block.id());
    UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, (model.*read)(id));
    if (tensors.size() != 1 || tensors.begin()->first != kTokenRows) {
      return absl::InvalidArgumentError(absl::StrCat(
          model.path(), ": component \"", id, "\": expected the one tensor \"", kTokenRows, "\""));
    }
    rows.emplace(block.id(), tensors.begin()->second);
  }
  return rows;
}

}  // namespace

absl::StatusOr<TensorMap> SplitTokenRows(const at::Tensor& embedding,
                                         const VocabularyLayout& layout) {
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  const int64_t size = LayoutSize(layout);
  if (embedding.dim() != 2 || embedding.size(0) != size) {
    return absl::InvalidArgumentError(absl::StrCat("token embedding ", ShapeText(embedding),
                                                   ", expected [", size,
                                                   ", D] for this vocabulary"));
  }
  return CatchTorch("split token rows", [&] {
    const at::Tensor plain = embedding.detach();
    TensorMap rows;
    for (const VocabularyBlock& block : layout.blocks()) {
      std::vector<at::Tensor> parts;
      for (const VocabularyExtent& extent : block.extents()) {
        parts.push_back(plain.narrow(0, extent.begin(), extent.size()));
      }
      rows.emplace(block.id(), at::cat(parts));
    }
    return rows;
  });
}

absl::StatusOr<at::Tensor> JoinTokenRows(const TensorMap& rows, const VocabularyLayout& layout) {
  UNIVAL_RETURN_IF_ERROR(CheckRows(rows, layout));
  return CatchTorch("join token rows", [&] {
    const at::Tensor& first = rows.begin()->second;
    at::Tensor embedding = at::empty({LayoutSize(layout), first.size(1)}, first.options());
    CopyRows(rows, layout, nullptr, embedding);
    return embedding;
  });
}

absl::Status AddTokenComponents(const at::Tensor& embedding, const VocabularyLayout& layout,
                                ModelDirectoryWriter& writer) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap rows, SplitTokenRows(embedding, layout));
  for (const auto& [block, tensor] : rows) {
    UNIVAL_RETURN_IF_ERROR(writer.AddTensors(TokensComponentId(block), {{kTokenRows, tensor}}));
  }
  return absl::OkStatus();
}

absl::StatusOr<at::Tensor> ReadTokenComponents(const ModelDirectory& model) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap rows, ReadRows(model, &ModelDirectory::ReadComponent));
  return Annotate(JoinTokenRows(rows, model.manifest().vocabulary()), model.path());
}

absl::StatusOr<at::Tensor> LoadTokenComponents(const ModelDirectory& model) {
  const VocabularyLayout& layout = model.manifest().vocabulary();
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap rows, ReadRows(model, &ModelDirectory::ReadWeights));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckRows(rows, layout), model.path()));
  return CatchTorch("load token rows", [&]() -> absl::StatusOr<at::Tensor> {
    const RowRun longest = LongestRun(layout);
    UNIVAL_ASSIGN_OR_RETURN(at::Tensor embedding, RowsInFile(model, longest, rows));
    const bool is_in_file = embedding.defined();
    if (!is_in_file) {
      const at::Tensor& first = rows.begin()->second;
      const auto stored = first.scalar_type();
      const bool is_half = stored == at::kHalf || stored == at::kBFloat16;
      embedding = at::empty({LayoutSize(layout), first.size(1)},
                            first.options().dtype(is_half ? at::kFloat : stored));
    }
    CopyRows(rows, layout, is_in_file ? longest.extent : nullptr, embedding);
    for (const auto& entry : rows) {
      UNIVAL_RETURN_IF_ERROR(MappedFile::CheckAt(entry.second.data_ptr()));
    }
    return embedding;
  });
}

}  // namespace unival
