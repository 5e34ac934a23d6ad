// unival: builtin_tokenizers.h
//
// The tokenizer types that come with the host: "sentencepiece" and "gpt2_bpe".
//
//   absl::Status status = RegisterBuiltinTokenizers(registry);
#ifndef UNIVAL_MODALITIES_TEXT_BUILTIN_TOKENIZERS_H_
#define UNIVAL_MODALITIES_TEXT_BUILTIN_TOKENIZERS_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

class Registrar;

// `sentencepiece_library`: path of the shared object; empty: looked for beside the program when
// first used.
absl::Status RegisterBuiltinTokenizers(Registrar& registrar,
                                       const std::string& sentencepiece_library = "");

}  // namespace unival

#endif  // UNIVAL_MODALITIES_TEXT_BUILTIN_TOKENIZERS_H_
