// Tokenizer type "sentencepiece": the file tokenizer.model in the tokenizer's directory. The only
// place that links sentencepiece, whose library carries its own, older protobuf: the plugin is
// isolated.
//
// Local indices number the pieces that stand for text, in the model file's order; sentencepiece's
// own <unk>, <s>, </s> and other control pieces have none. Nothing is stripped or added: with a
// model whose normalisation is off, as Train makes them, decoding gives back every text inside the
// vocabulary, the first space included. A model trained with sentencepiece's defaults puts a space
// before every text.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unordered_map>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

constexpr char kSpaceSymbol[] = "\xe2\x96\x81";  // U+2581
constexpr int64_t kUnknown = -1, kNone = -2;

// What a piece spells: "<0x41>" is "A", U+2581 a space.
std::string TextOf(const std::string& piece, bool is_byte) {
  if (is_byte)
    return std::string(1, static_cast<char>(std::strtol(piece.substr(3, 2).c_str(), nullptr, 16)));
  std::string text = piece;
  for (size_t at = text.find(kSpaceSymbol); at != std::string::npos;
       at = text.find(kSpaceSymbol, at)) {
    text.replace(at, sizeof(kSpaceSymbol) - 1, " ");
  }
  return text;
}

Status CheckTraining(const TokenizerTraining& training) {
  std::ifstream corpus(training.corpus);
  if (!corpus || corpus.peek() == std::ifstream::traits_type::eof()) {
    return InvalidArgument(training.corpus + ": the corpus is missing or empty");
  }
  for (const std::string& symbol : training.symbols) {
    if (symbol.empty() || symbol.find(',') != std::string::npos) {
      return InvalidArgument("symbol \"" + symbol + "\" is empty or contains a comma");
    }
  }
  // The file is put in the place of a file alone, never of a device.
  std::error_code error;
  const std::filesystem::file_status there = std::filesystem::status(training.output, error);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
    return InvalidArgument(training.output + ": not a regular file; name another one");
  // Sentencepiece's own three pieces, and at least one of text.
  const int64_t least = static_cast<int64_t>(training.symbols.size()) + 4;
  if (training.vocabulary_size >= least) return Status();
  return InvalidArgument("vocabulary_size " + std::to_string(training.vocabulary_size) +
                         ", expected at least " + std::to_string(least));
}

// From this size on, a vocabulary has a piece for every byte, so that every text can be written; a
// smaller one would be half filled by them.
constexpr int64_t kLeastWithBytes = 2048;

// Text is taken byte for byte: no normalisation, no added or removed spaces. One thread, because
// the sums of several would depend on their number.
std::unordered_map<std::string, std::string> TrainerOptions(const TokenizerTraining& training) {
  std::unordered_map<std::string, std::string> options = {
      {"input", training.corpus},    {"vocab_size", std::to_string(training.vocabulary_size)},
      {"hard_vocab_limit", "false"}, {"model_type", "unigram"},
      {"character_coverage", "1.0"}, {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"}, {"remove_extra_whitespaces", "false"},
      {"split_digits", "true"},      {"shuffle_input_sentence", "false"},
      {"num_threads", "1"},          {"minloglevel", "2"},
  };
  if (training.vocabulary_size >= kLeastWithBytes) options["byte_fallback"] = "true";
  std::string symbols;
  for (const std::string& symbol : training.symbols)
    symbols += (symbols.empty() ? "" : ",") + symbol;
  if (!symbols.empty()) options["user_defined_symbols"] = symbols;
  return options;
}

class SentencePiece : public Tokenizer {
 public:
  static Result<std::unique_ptr<SentencePiece>> Create(const TokenizerConfig& config) {
    const std::string path = config.directory + "/tokenizer.model";
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    if (!file || !(bytes << file.rdbuf()))
      return NotFound(path + ": cannot read the tokenizer's model (or it is empty)");
    auto made = std::make_unique<SentencePiece>();
    const auto status = made->processor_.LoadFromSerializedProto(bytes.str());
    if (!status.ok())
      return InvalidArgument(path + ": not a sentencepiece model: " + status.error_message());
    for (int id = 0; id < made->processor_.GetPieceSize(); ++id) made->AddPiece(id);
    return made;
  }

  // Writes the file in one step.
  static Status Train(const TokenizerTraining& training) {
    if (const Status status = CheckTraining(training); !status.ok()) return status;
    std::string model;
    const auto trained =
        sentencepiece::SentencePieceTrainer::Train(TrainerOptions(training), nullptr, &model);
    if (!trained.ok()) return InvalidArgument(training.corpus + ": " + trained.error_message());
    const std::string temporary = training.output + ".tmp";
    std::remove(temporary.c_str());  // a link that somebody put there is not followed
    std::ofstream output(temporary, std::ios::binary | std::ios::trunc);
    output.write(model.data(), static_cast<std::streamsize>(model.size()));
    output.close();
    if (!output.fail() && std::rename(temporary.c_str(), training.output.c_str()) == 0)
      return Status();
    std::remove(temporary.c_str());
    return Internal(training.output + ": cannot write");
  }

  int64_t size() const override { return static_cast<int64_t>(texts_.size()); }
  std::string Surface(int64_t index) const override { return pieces_[index]; }

  Status Encode(std::string_view text, std::vector<int64_t>* ids) const override {
    std::vector<int> pieces;
    const auto status = processor_.Encode(text, &pieces);
    if (!status.ok()) return Internal(status.error_message());
    for (int piece : pieces) {
      if (local_of_piece_[piece] != kNone) ids->push_back(local_of_piece_[piece]);
    }
    return Status();
  }

  Status Decode(const std::vector<int64_t>& ids, std::string* text) const override {
    for (int64_t id : ids) *text += texts_[id];
    return Status();
  }

 private:
  void AddPiece(int id) {
    if (processor_.IsUnknown(id) || processor_.IsControl(id) || processor_.IsUnused(id)) {
      local_of_piece_.push_back(processor_.IsUnknown(id) ? kUnknown : kNone);
      return;
    }
    local_of_piece_.push_back(size());
    pieces_.push_back(processor_.IdToPiece(id));
    texts_.push_back(TextOf(pieces_.back(), processor_.IsByte(id)));
  }

  sentencepiece::SentencePieceProcessor processor_;
  std::vector<int64_t> local_of_piece_;      // by sentencepiece id
  std::vector<std::string> pieces_, texts_;  // by local index
};

}  // namespace

UNIVAL_ISOLATED_PLUGIN("sentencepiece", "1.0.0",
                       TrainableTokenizerOf<SentencePiece>("sentencepiece",
                                                           "sentencepiece model (tokenizer.model)"))
