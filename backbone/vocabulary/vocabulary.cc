#include "backbone/vocabulary/vocabulary.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::StatusOr<int64_t> ToGlobal(const VocabularyBlock& block, int64_t index) {
  for (const VocabularyExtent& extent : block.extents()) {
    if (index >= extent.local_begin() && index - extent.local_begin() < extent.size()) {
      return extent.begin() + index - extent.local_begin();
    }
  }
  return absl::OutOfRangeError(absl::StrCat("vocabulary block \"", block.id(), "\" has ",
                                            BlockSize(block), " entries, index ", index,
                                            " is outside"));
}

}  // namespace

Vocabulary::Vocabulary(VocabularyLayout layout, std::shared_ptr<const Tokenizer> tokenizer)
    : layout_(std::move(layout)), tokenizer_(std::move(tokenizer)), size_(LayoutSize(layout_)) {
  for (const VocabularyBlock& block : layout_.blocks()) {
    blocks_.emplace(block.id(), &block);
    for (const VocabularyExtent& extent : block.extents()) {
      extents_.push_back({extent.begin(), extent.local_begin(), extent.size(), &block});
    }
  }
  std::sort(extents_.begin(), extents_.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
}

absl::StatusOr<std::shared_ptr<const Vocabulary>> Vocabulary::Create(
    VocabularyLayout layout, std::shared_ptr<const Tokenizer> tokenizer,
    const std::string& mask_block) {
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  std::shared_ptr<Vocabulary> vocabulary(new Vocabulary(std::move(layout), std::move(tokenizer)));
  UNIVAL_RETURN_IF_ERROR(vocabulary->CheckTokenizer());
  if (vocabulary->tokenizer_) {
    vocabulary->text_block_ = vocabulary->blocks_.at(vocabulary->tokenizer_->block().id);
  }
  vocabulary->mask_ = vocabulary->unk();
  if (vocabulary->HasBlock(mask_block)) {
    UNIVAL_ASSIGN_OR_RETURN(const int64_t size, vocabulary->BlockSize(mask_block));
    if (size != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("tokenizer.mask_token_block: expected a block of one token, <mask>, got \"",
                       mask_block, "\" of ", size));
    }
    UNIVAL_ASSIGN_OR_RETURN(vocabulary->mask_, vocabulary->GlobalId(mask_block, 0));
  }
  return vocabulary;
}

absl::Status Vocabulary::CheckTokenizer() const {
  if (!tokenizer_) return absl::OkStatus();
  const TokenBlockSpec& spec = tokenizer_->block();
  auto block = FindActive(spec.id);
  if (!block.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("tokenizer: ", block.status().message(),
                     "; name the model's text block in TokenizerConfig.block"));
  }
  const int64_t size = unival::BlockSize(**block);
  if (spec.size != size) {
    return absl::FailedPreconditionError(absl::StrCat(
        "tokenizer: vocabulary block \"", spec.id, "\" has ", size, " entries, the tokenizer has ",
        spec.size, "; use the tokenizer that the model was made with"));
  }
  const std::string& hash = (*block)->content_hash();
  if (!hash.empty() && !spec.content_hash.empty() && hash != spec.content_hash) {
    return absl::FailedPreconditionError(
        absl::StrCat("tokenizer: vocabulary block \"", spec.id, "\" has content hash \"", hash,
                     "\", the tokenizer has \"", spec.content_hash,
                     "\"; use the tokenizer that the model was made with"));
  }
  return absl::OkStatus();
}

absl::StatusOr<const VocabularyBlock*> Vocabulary::FindActive(absl::string_view block) const {
  auto found = blocks_.find(block);
  if (found == blocks_.end()) {
    std::string known;
    for (const auto& entry : blocks_) absl::StrAppend(&known, " ", entry.first);
    return absl::NotFoundError(
        absl::StrCat("vocabulary has no block \"", block, "\"; it has:", known));
  }
  if (found->second->retired()) {
    return absl::NotFoundError(
        absl::StrCat("vocabulary block \"", block, "\" is retired; add it again to use it"));
  }
  return found->second;
}

const Vocabulary::Extent* Vocabulary::FindExtent(int64_t global_id) const {
  if (global_id < 0 || global_id >= size_) return nullptr;
  auto after = std::upper_bound(extents_.begin(), extents_.end(), global_id,
                                [](int64_t id, const Extent& extent) { return id < extent.begin; });
  return &*std::prev(after);
}

bool Vocabulary::HasBlock(absl::string_view block) const {
  auto found = blocks_.find(block);
  return found != blocks_.end() && !found->second->retired();
}

absl::StatusOr<int64_t> Vocabulary::BlockSize(absl::string_view block) const {
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyBlock* found, FindActive(block));
  return unival::BlockSize(*found);
}

absl::StatusOr<std::vector<TokenRange>> Vocabulary::BlockRanges(absl::string_view block) const {
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyBlock* found, FindActive(block));
  std::vector<TokenRange> ranges;
  for (const VocabularyExtent& extent : found->extents()) {
    ranges.push_back({extent.begin(), extent.begin() + extent.size()});
  }
  return ranges;
}

absl::StatusOr<int64_t> Vocabulary::GlobalId(absl::string_view block, int64_t index) const {
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyBlock* found, FindActive(block));
  return ToGlobal(*found, index);
}

absl::StatusOr<BlockToken> Vocabulary::Identify(int64_t global_id) const {
  const Extent* extent = FindExtent(global_id);
  if (!extent) {
    return absl::OutOfRangeError(
        absl::StrCat("token id ", global_id, " is outside the vocabulary of ", size_, " entries"));
  }
  return BlockToken{extent->block->id(), global_id - extent->begin + extent->local_begin};
}

absl::StatusOr<std::vector<int64_t>> Vocabulary::EncodeText(absl::string_view text) const {
  if (!tokenizer_) return absl::FailedPreconditionError("vocabulary: this model has no tokenizer");
  UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> ids, tokenizer_->Encode(text));
  for (int64_t& id : ids) {
    if (id < 0) {
      id = unk();
    } else {
      UNIVAL_ASSIGN_OR_RETURN(id, ToGlobal(*text_block_, id));
    }
  }
  return ids;
}

absl::StatusOr<std::string> Vocabulary::DecodeText(absl::Span<const int64_t> tokens) const {
  if (!tokenizer_) return absl::FailedPreconditionError("vocabulary: this model has no tokenizer");
  std::vector<int64_t> locals;
  for (int64_t token : tokens) {
    const Extent* extent = FindExtent(token);
    if (!extent) return Identify(token).status();
    if (extent->block == text_block_) {
      locals.push_back(token - extent->begin + extent->local_begin);
    }
  }
  return tokenizer_->Decode(locals);
}

}  // namespace unival
