// unival: gpt2_bpe_tokenizer.h
//
// Tokenizer type "gpt2_bpe", that of the published checkpoints: GPT-2's byte-level BPE, whose ids
// are looked up as words of a dictionary. Files in the tokenizer's directory: encoder.json (symbol
// -> GPT-2 id), vocab.bpe (merges, best first), dict.txt (one "GPT2_ID COUNT" per line; the line
// number is the local index).
//
//   UNIVAL_ASSIGN_OR_RETURN(auto tokenizer, Gpt2BpeTokenizer::Create("model/tokenizer",
//   "core.bpe"));
//
// Lossless on valid UTF-8, leading space included. Dictionary lines that are no GPT-2 id
// ("madeupword0000") are never emitted and decode to nothing.
#ifndef UNIVAL_MODALITIES_TEXT_GPT2_BPE_TOKENIZER_H_
#define UNIVAL_MODALITIES_TEXT_GPT2_BPE_TOKENIZER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/tokenizer.h"

namespace unival {

// Thread-safe.
class Gpt2BpeTokenizer : public Tokenizer {
 public:
  // NotFound names a missing file, InvalidArgument a malformed one with its line. `Encode` gives
  // InvalidArgument for text that is not UTF-8, naming the byte.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Create(const std::string& directory,
                                                           const std::string& block);
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_TEXT_GPT2_BPE_TOKENIZER_H_
