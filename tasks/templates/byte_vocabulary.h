// unival: byte_vocabulary.h - a vocabulary for tests whose text tokens are bytes, with blocks of
// the published sizes.
#ifndef UNIVAL_TASKS_TEMPLATES_BYTE_VOCABULARY_H_
#define UNIVAL_TASKS_TEMPLATES_BYTE_VOCABULARY_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/native/vocabulary.h"

namespace unival {

// 4 specials, 256 bytes, <mask>, 8192 codes, 1000 bins. Thread-safe.
class ByteVocabulary : public VocabularyView {
 public:
  explicit ByteVocabulary(bool only_text = false) : only_text_(only_text) {}

  int64_t size() const override { return 4 + 256 + 1 + 8192 + 1000; }
  bool HasBlock(absl::string_view block) const override { return Find(block) != nullptr; }
  absl::StatusOr<int64_t> BlockSize(absl::string_view block) const override {
    if (!HasBlock(block)) return absl::NotFoundError(block);
    return Find(block)->end - Find(block)->begin;
  }
  absl::StatusOr<std::vector<TokenRange>> BlockRanges(absl::string_view block) const override {
    if (!HasBlock(block)) return absl::NotFoundError(block);
    return std::vector<TokenRange>{{Find(block)->begin, Find(block)->end}};
  }
  absl::StatusOr<int64_t> GlobalId(absl::string_view block, int64_t index) const override {
    if (!HasBlock(block)) return absl::NotFoundError(block);
    if (index < 0 || index >= *BlockSize(block)) {
      return absl::OutOfRangeError(absl::StrCat(block, " has no token ", index));
    }
    return Find(block)->begin + index;
  }
  absl::StatusOr<BlockToken> Identify(int64_t id) const override {
    for (const Block& block : kBlocks) {
      if (id >= block.begin && id < block.end) {
        return BlockToken{std::string(block.name), id - block.begin};
      }
    }
    return absl::OutOfRangeError(absl::StrCat("no token ", id));
  }
  absl::StatusOr<std::vector<int64_t>> EncodeText(absl::string_view text) const override {
    std::vector<int64_t> ids;
    for (const unsigned char c : text) ids.push_back(4 + c);
    return ids;
  }
  absl::StatusOr<std::string> DecodeText(absl::Span<const int64_t> tokens) const override {
    std::string text;
    for (const int64_t id : tokens) {
      if (id >= 4 && id < 260) text += static_cast<char>(id - 4);
    }
    return text;
  }
  int64_t mask() const override { return only_text_ ? unk() : 260; }

 private:
  struct Block {
    absl::string_view name;
    int64_t begin, end;
  };
  static constexpr Block kBlocks[] = {{"core.special", 0, 4},
                                      {"core.bpe", 4, 260},
                                      {"core.mask", 260, 261},
                                      {"core.image_code", 261, 8453},
                                      {"core.location_bin", 8453, 9453}};

  const Block* Find(absl::string_view name) const {
    for (const Block& block : kBlocks) {
      if (block.name == name && (!only_text_ || block.begin < 260)) return &block;
    }
    return nullptr;
  }

  const bool only_text_;
};

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_BYTE_VOCABULARY_H_
