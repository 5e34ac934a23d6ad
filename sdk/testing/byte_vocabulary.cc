#include "sdk/testing/byte_vocabulary.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kText[] = "core.bpe", kMask[] = "core.mask";
constexpr char kCodes[] = "core.image_code", kBins[] = "core.location_bin";

}  // namespace

ByteVocabulary::ByteVocabulary(const std::vector<TokenBlockSpec>& blocks)
    : ByteVocabulary(TextOnly()) {
  Append({kMask, 1, ""});
  Append({kCodes, 64, ""});
  Append({kBins, 1000, ""});
  for (const TokenBlockSpec& block : blocks) Append(block);
}

ByteVocabulary ByteVocabulary::Published() {
  ByteVocabulary vocabulary = TextOnly();
  vocabulary.Append({kMask, 1, ""});
  vocabulary.Append({kCodes, 8192, ""});
  vocabulary.Append({kBins, 1000, ""});
  return vocabulary;
}

ByteVocabulary ByteVocabulary::TextOnly() {
  ByteVocabulary vocabulary;
  vocabulary.Append({"core.special", 4, ""});
  vocabulary.Append({kText, 256, ""});
  return vocabulary;
}

void ByteVocabulary::Append(const TokenBlockSpec& block) {
  const int64_t begin = blocks_.empty() ? 0 : size();
  blocks_.push_back({block.id, {begin, begin + block.size}});
}

int64_t ByteVocabulary::size() const { return blocks_.back().range.end; }

absl::StatusOr<TokenRange> ByteVocabulary::Find(absl::string_view id) const {
  for (const Block& block : blocks_) {
    if (block.id == id) return block.range;
  }
  return absl::NotFoundError(absl::StrCat("block \"", id, "\" is not in the vocabulary"));
}

bool ByteVocabulary::HasBlock(absl::string_view block) const { return Find(block).ok(); }

absl::StatusOr<int64_t> ByteVocabulary::BlockSize(absl::string_view block) const {
  UNIVAL_ASSIGN_OR_RETURN(const TokenRange range, Find(block));
  return range.end - range.begin;
}

absl::StatusOr<std::vector<TokenRange>> ByteVocabulary::BlockRanges(absl::string_view block) const {
  UNIVAL_ASSIGN_OR_RETURN(const TokenRange range, Find(block));
  return std::vector<TokenRange>{range};
}

absl::StatusOr<int64_t> ByteVocabulary::GlobalId(absl::string_view block, int64_t index) const {
  UNIVAL_ASSIGN_OR_RETURN(const TokenRange range, Find(block));
  if (index >= 0 && index < range.end - range.begin) return range.begin + index;
  return absl::OutOfRangeError(absl::StrCat("block \"", block, "\" has ", range.end - range.begin,
                                            " tokens, index ", index, " is outside"));
}

absl::StatusOr<BlockToken> ByteVocabulary::Identify(int64_t id) const {
  for (const Block& block : blocks_) {
    if (id >= block.range.begin && id < block.range.end)
      return BlockToken{block.id, id - block.range.begin};
  }
  return absl::OutOfRangeError(
      absl::StrCat("token ", id, " is outside the vocabulary of ", size()));
}

absl::StatusOr<std::vector<int64_t>> ByteVocabulary::EncodeText(absl::string_view text) const {
  UNIVAL_ASSIGN_OR_RETURN(const TokenRange range, Find(kText));
  std::vector<int64_t> tokens;
  for (char byte : text) tokens.push_back(range.begin + static_cast<unsigned char>(byte));
  return tokens;
}

absl::StatusOr<std::string> ByteVocabulary::DecodeText(absl::Span<const int64_t> tokens) const {
  UNIVAL_ASSIGN_OR_RETURN(const TokenRange range, Find(kText));
  std::string text;
  for (int64_t token : tokens) {
    if (token >= range.begin && token < range.end)
      text.push_back(static_cast<char>(token - range.begin));
  }
  return text;
}

int64_t ByteVocabulary::mask() const {
  const absl::StatusOr<TokenRange> range = Find(kMask);
  return range.ok() ? range->begin : unk();
}

}  // namespace unival
