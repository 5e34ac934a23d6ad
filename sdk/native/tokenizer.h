// unival: tokenizer.h
//
// Turns text into tokens of one vocabulary block, and back. A tokenizer uses local indices only;
// the host manages global ids, special tokens and embedding rows.
//
//   absl::StatusOr<std::vector<int64_t>> ids = tokenizer->Encode(" a red circle");
//
// Thread-safe: all methods are const and may be called concurrently.
#ifndef UNIVAL_SDK_NATIVE_TOKENIZER_H_
#define UNIVAL_SDK_NATIVE_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace unival {

struct TokenBlockSpec {
  std::string id;            // "core.bpe"
  int64_t size = 0;          // local indices are [0, size)
  std::string content_hash;  // sha256 (hex) over the ordered surface forms
};

class Tokenizer {
 public:
  virtual ~Tokenizer();

  // The block of the tokens that `Encode` returns.
  virtual const TokenBlockSpec& block() const = 0;

  // The local indices of `text` (UTF-8; a leading space matters). Empty text gives no tokens. Text
  // outside the vocabulary gives -1, which the host maps to <unk>.
  virtual absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const = 0;

  // The text of local indices. OutOfRange names an index outside [0, size).
  virtual absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const = 0;
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TOKENIZER_H_
