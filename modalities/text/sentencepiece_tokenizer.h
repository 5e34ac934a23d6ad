// unival: sentencepiece_tokenizer.h
//
// Tokenizer type "sentencepiece": the file tokenizer.model in the tokenizer's directory.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto tokenizer, SentencePieceTokenizer::Create("model/tokenizer",
//   "core.bpe")); tokenizer->Encode(" a red circle");     // pieces "▁a" "▁red" "▁circle"
//
// Local indices number the pieces that stand for text, in the model file's order; sentencepiece's
// own <unk>, <s>, </s> and other control pieces have none. Text outside the vocabulary encodes to
// -1.
//
// Spaces: Encode strips nothing and adds nothing of its own, and Decode gives back exactly what the
// pieces spell, the first space included. So with a model whose normalisation is off, as
// TrainSentencePiece makes them, Decode(Encode(text)) == text for every text inside the vocabulary.
// A model trained with sentencepiece's defaults puts a space before every text: then "a red circle"
// comes back as " a red circle".
#ifndef UNIVAL_MODALITIES_TEXT_SENTENCEPIECE_TOKENIZER_H_
#define UNIVAL_MODALITIES_TEXT_SENTENCEPIECE_TOKENIZER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/native/tokenizer.h"

namespace unival {

// Thread-safe.
class SentencePieceTokenizer : public Tokenizer {
 public:
  // `library`: path of the sentencepiece shared object; empty: beside the program (see
  // tokenizer_library_loader.h). NotFound names a missing file, InvalidArgument one that is not a
  // model.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Create(const std::string& directory,
                                                           const std::string& block,
                                                           const std::string& library = "");
};

struct SentencePieceTraining {
  std::string corpus;                // file with one sentence per line, UTF-8
  int vocabulary_size = 0;           // upper bound; a small corpus gives fewer pieces
  std::vector<std::string> symbols;  // kept as single pieces; without commas
  std::string library;               // as in SentencePieceTokenizer::Create
};

// Trains a unigram model and writes it to `output` (atomically). Same corpus, same bytes. Takes the
// text as it is: no normalisation, spaces significant. InvalidArgument names what is wrong with
// corpus or options.
absl::Status TrainSentencePiece(const SentencePieceTraining& training, const std::string& output);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_TEXT_SENTENCEPIECE_TOKENIZER_H_
