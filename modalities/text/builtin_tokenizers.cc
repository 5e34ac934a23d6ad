#include "modalities/text/builtin_tokenizers.h"

#include "modalities/text/gpt2_bpe_tokenizer.h"
#include "modalities/text/sentencepiece_tokenizer.h"
#include "sdk/native/registry.h"
#include "sdk/native/status_macros.h"

namespace unival {

absl::Status RegisterBuiltinTokenizers(Registrar& registrar,
                                       const std::string& sentencepiece_library) {
  UNIVAL_RETURN_IF_ERROR(registrar.AddTokenizer(
      {"sentencepiece", "sentencepiece model (tokenizer.model)",
       [sentencepiece_library](const std::string& directory, const std::string& block) {
         return SentencePieceTokenizer::Create(directory, block, sentencepiece_library);
       }}));
  return registrar.AddTokenizer({"gpt2_bpe",
                                 "GPT-2 byte-level BPE (encoder.json, vocab.bpe, dict.txt)",
                                 &Gpt2BpeTokenizer::Create});
}

}  // namespace unival
