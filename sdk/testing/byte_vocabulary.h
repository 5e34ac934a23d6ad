// unival: byte_vocabulary.h
//
// A vocabulary that needs no model, for checks of tasks: core.special with its four tokens, then
// core.bpe with one token per byte.
//
//   ByteVocabulary vocabulary(registry.token_blocks());
//   ConformanceReport report = CheckTask(*task, vocabulary, probe);
#ifndef UNIVAL_SDK_TESTING_BYTE_VOCABULARY_H_
#define UNIVAL_SDK_TESTING_BYTE_VOCABULARY_H_

#include <string>
#include <vector>

#include "sdk/native/tokenizer.h"
#include "sdk/native/vocabulary.h"

namespace unival {

// Thread-safe: immutable after creation.
class ByteVocabulary : public VocabularyView {
 public:
  // With core.mask, 64 image codes, 1000 location bins, and `blocks`.
  explicit ByteVocabulary(const std::vector<TokenBlockSpec>& blocks);
  // With core.mask, 8192 image codes and 1000 location bins, like the published models.
  static ByteVocabulary Published();
  // Bytes alone: no mask, no codes, no bins.
  static ByteVocabulary TextOnly();

  int64_t size() const override;
  bool HasBlock(absl::string_view block) const override;
  absl::StatusOr<int64_t> BlockSize(absl::string_view block) const override;
  absl::StatusOr<std::vector<TokenRange>> BlockRanges(absl::string_view block) const override;
  absl::StatusOr<int64_t> GlobalId(absl::string_view block, int64_t index) const override;
  absl::StatusOr<BlockToken> Identify(int64_t global_id) const override;
  absl::StatusOr<std::vector<int64_t>> EncodeText(absl::string_view text) const override;
  absl::StatusOr<std::string> DecodeText(absl::Span<const int64_t> tokens) const override;
  int64_t mask() const override;

 private:
  ByteVocabulary() = default;
  void Append(const TokenBlockSpec& block);

  struct Block {
    std::string id;
    TokenRange range;
  };
  absl::StatusOr<TokenRange> Find(absl::string_view block) const;
  std::vector<Block> blocks_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_TESTING_BYTE_VOCABULARY_H_
