// unival: byte_tokenizer.h
//
// The smallest GPT-2 tokenizer: the 256 bytes and no merges. For checkpoints whose own dictionary
// is not at hand, which cannot be loaded without one of the right size.
//
//   UNIVAL_RETURN_IF_ERROR(WriteByteTokenizer(folder, 18));
//   UNIVAL_ASSIGN_OR_RETURN(auto host, ConversionHost(runtime, folder));
#ifndef UNIVAL_UPSTREAM_PARITY_BYTE_TOKENIZER_H_
#define UNIVAL_UPSTREAM_PARITY_BYTE_TOKENIZER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace unival {
namespace parity {

// encoder.json, vocab.bpe and a dict.txt of `words` lines, written into `folder`, which is made.
// Errors as WriteFileAtomically.
absl::Status WriteByteTokenizer(const std::string& folder, int64_t words);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_BYTE_TOKENIZER_H_
