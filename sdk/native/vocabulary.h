// unival: vocabulary.h
//
// The interface of the unified vocabulary for tasks and generation. Tokens are identified by their
// block and local index; global ids are derived from these. Text is converted by the model's
// tokenizer.
//
//   absl::StatusOr<int64_t> bin = vocabulary.GlobalId("core.location_bin", 17);
//
// Thread-safe: immutable after creation.
#ifndef UNIVAL_SDK_NATIVE_VOCABULARY_H_
#define UNIVAL_SDK_NATIVE_VOCABULARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace unival {

struct BlockToken {
  std::string block;
  int64_t index = 0;
};

// Global ids [begin, end).
struct TokenRange {
  int64_t begin = 0;
  int64_t end = 0;
};

class VocabularyView {
 public:
  virtual ~VocabularyView();

  virtual int64_t size() const = 0;                          // V, one past the largest global id
  virtual bool HasBlock(absl::string_view block) const = 0;  // false for retired blocks
  virtual absl::StatusOr<int64_t> BlockSize(absl::string_view block) const = 0;
  virtual absl::StatusOr<std::vector<TokenRange>> BlockRanges(absl::string_view block) const = 0;
  // NotFound for an unknown block, OutOfRange for an index outside it.
  virtual absl::StatusOr<int64_t> GlobalId(absl::string_view block, int64_t index) const = 0;
  virtual absl::StatusOr<BlockToken> Identify(int64_t global_id) const = 0;

  // The global ids of `text`, by the model's tokenizer, without <s> and </s>.
  virtual absl::StatusOr<std::vector<int64_t>> EncodeText(absl::string_view text) const = 0;
  // The text of the tokens of the tokenizer's block; all other tokens are skipped.
  virtual absl::StatusOr<std::string> DecodeText(absl::Span<const int64_t> tokens) const = 0;

  // `core.special` holds these four in this order.
  int64_t bos() const { return 0; }
  int64_t pad() const { return 1; }
  int64_t eos() const { return 2; }
  int64_t unk() const { return 3; }
  // The id of core.mask, or unk() when the model has none.
  virtual int64_t mask() const = 0;
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_VOCABULARY_H_
