// unival: vocabulary.h
//
// A vocabulary layout together with the model's tokenizer: what tasks and generation work with.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto vocabulary, Vocabulary::Create(manifest.vocabulary(), tokenizer));
//   UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> ids, vocabulary->EncodeText(" a red circle"));
#ifndef UNIVAL_BACKBONE_VOCABULARY_VOCABULARY_H_
#define UNIVAL_BACKBONE_VOCABULARY_VOCABULARY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/native/tokenizer.h"
#include "sdk/native/vocabulary.h"

namespace unival {

// Thread-safe: immutable after creation.
class Vocabulary : public VocabularyView {
 public:
  // `tokenizer` may be null: a vocabulary without text. InvalidArgument: a layout that does not
  // hold together; FailedPrecondition: the tokenizer's block is absent, retired, or has another
  // size or content hash.
  static absl::StatusOr<std::shared_ptr<const Vocabulary>> Create(
      VocabularyLayout layout, std::shared_ptr<const Tokenizer> tokenizer,
      const std::string& mask_block = "core.mask");

  int64_t size() const override { return size_; }
  bool HasBlock(absl::string_view block) const override;
  absl::StatusOr<int64_t> BlockSize(absl::string_view block) const override;
  absl::StatusOr<std::vector<TokenRange>> BlockRanges(absl::string_view block) const override;
  absl::StatusOr<int64_t> GlobalId(absl::string_view block, int64_t index) const override;
  absl::StatusOr<BlockToken> Identify(int64_t global_id) const override;
  // Text outside the tokenizer's vocabulary becomes unk(). FailedPrecondition without a tokenizer.
  absl::StatusOr<std::vector<int64_t>> EncodeText(absl::string_view text) const override;
  absl::StatusOr<std::string> DecodeText(absl::Span<const int64_t> tokens) const override;
  int64_t mask() const override { return mask_; }

  const VocabularyLayout& layout() const { return layout_; }
  // Null without text.
  const std::shared_ptr<const Tokenizer>& tokenizer() const { return tokenizer_; }

 private:
  struct Extent {
    int64_t begin, local_begin, size;
    const VocabularyBlock* block;
  };

  Vocabulary(VocabularyLayout layout, std::shared_ptr<const Tokenizer> tokenizer);
  absl::StatusOr<const VocabularyBlock*> FindActive(absl::string_view block) const;
  absl::Status CheckTokenizer() const;
  const Extent* FindExtent(int64_t global_id) const;

  const VocabularyLayout layout_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  int64_t size_ = 0;
  int64_t mask_ = 0;
  std::vector<Extent> extents_;  // ordered by begin, gapless
  std::map<std::string, const VocabularyBlock*, std::less<>> blocks_;
  const VocabularyBlock* text_block_ = nullptr;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_VOCABULARY_VOCABULARY_H_
