// Tokenizer type "sentencepiece": reads the file tokenizer.model in the tokenizer's directory. Only
// this plugin links the sentencepiece library. The library contains its own, older protobuf, so the
// plugin is isolated.
//
// Local indices number the pieces of text, in the order of the model file; sentencepiece's own
// <unk>, <s>, </s> and other control pieces have no index. Nothing is stripped or added: if the
// normalisation of the model is off, as in models that Train makes, decoding returns every text
// inside the vocabulary exactly, including a leading space. A model that was trained with
// sentencepiece's defaults puts a space before every text.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

constexpr char kSpaceSymbol[] = "\xe2\x96\x81";  // U+2581
constexpr int64_t kUnknown = -1, kNone = -2;

// The text of a piece: "<0x41>" is "A", U+2581 is a space.
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

uint32_t Number32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

// Whether all references in a table of characters (NormalizerSpec.precompiled_charsmap) stay inside
// the table; the library does not check them. The table: the size of the trie in bytes (32 bits),
// the trie, and texts that end with a zero byte. The trie is a double array of 32-bit units
// (darts-clone). A node has: bits 0 to 7 the label, bit 8 whether a leaf is at the offset of its
// children, bit 9 whether the offset is in units of 256, bits 10 to 30 the offset, bit 31 zero. A
// leaf has the offset of its text.
bool IsSoundTable(std::string_view table) {
  constexpr uint32_t kEnd = uint32_t{1} << 31, kHasEnd = 1 << 8, kLarge = 1 << 9, kLabels = 0xff;
  if (table.empty()) return true;
  if (table.size() < 4) return false;
  const size_t trie_bytes = Number32(table);
  table.remove_prefix(4);
  if (trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes >= table.size()) return false;
  const std::string_view texts = table.substr(trie_bytes);
  if (texts.back() != '\0') return false;
  const size_t count = trie_bytes / 4;
  const auto unit = [&](size_t at) { return Number32(table.substr(4 * at, 4)); };
  for (size_t at = 0; at < count; ++at) {
    const uint32_t node = unit(at);
    if ((node & kEnd) != 0) continue;  // no label matches it
    const size_t children = at ^ (size_t{node >> 10} << ((node & kLarge) != 0 ? 8 : 0));
    if ((children | kLabels) >= count) return false;
    if ((node & kHasEnd) != 0 && (unit(children) & ~kEnd) >= texts.size()) return false;
  }
  return true;
}

// Reads the fields of a protobuf message, one after the other. Supports only the part of the wire
// format that model files use.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  // False at the end, and when the next bytes are not a valid field.
  bool Next() {
    uint64_t tag = 0, size = 0;
    if (rest_.empty() || !Varint(&tag)) return false;
    number_ = tag >> 3;
    if ((tag & 7) == 0) return Varint(&size);
    if ((tag & 7) == 1) size = 8;
    if ((tag & 7) == 5) size = 4;
    if ((tag & 7) == 2 && !Varint(&size)) return false;
    if (size > rest_.size() || (tag & 7) == 3 || (tag & 7) == 4 || (tag & 7) > 5) return Fail();
    content_ = (tag & 7) == 2 ? rest_.substr(0, size) : std::string_view();
    rest_.remove_prefix(size);
    return true;
  }
  uint64_t number() const { return number_; }
  std::string_view content() const { return content_; }  // of a text or a message
  bool is_whole() const { return is_whole_; }

 private:
  bool Fail() { return is_whole_ = false; }

  bool Varint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      *value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return Fail();
  }

  std::string_view rest_, content_;
  uint64_t number_ = 0;
  bool is_whole_ = true;
};

// Whether the tables in all messages are sound that `path`, a list of field numbers, leads to.
bool AreTablesSound(std::string_view message, const std::vector<uint64_t>& path) {
  if (path.empty()) return IsSoundTable(message);
  Fields fields(message);
  while (fields.Next()) {
    const std::vector<uint64_t> further(path.begin() + 1, path.end());
    if (fields.number() == path[0] && !AreTablesSound(fields.content(), further)) return false;
  }
  return fields.is_whole();
}

Status CheckModel(const std::string& path, const std::string& model) {
  constexpr uint64_t kNormalizer = 3, kDenormalizer = 5, kTable = 2;  // of ModelProto
  for (const uint64_t spec : {kNormalizer, kDenormalizer}) {
    if (AreTablesSound(model, {spec, kTable})) continue;
    return InvalidArgument(path +
                           ": not a sentencepiece model: its table of characters is damaged");
  }
  return Status();
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
  // The new file may replace a regular file, but never a device.
  std::error_code error;
  const std::filesystem::file_status there = std::filesystem::status(training.output, error);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
    return InvalidArgument(training.output + ": not a regular file; name another one");
  // Sentencepiece's own three pieces, and at least one piece of text.
  const int64_t least = static_cast<int64_t>(training.symbols.size()) + 4;
  if (training.vocabulary_size >= least) return Status();
  return InvalidArgument("vocabulary_size " + std::to_string(training.vocabulary_size) +
                         ", expected at least " + std::to_string(least));
}

// A vocabulary of at least this size gets a piece for every byte, so that it can encode every text.
// In a smaller one, these pieces would take half of the size.
constexpr int64_t kLeastWithBytes = 2048;

// The text is used unchanged: no normalisation, no added or removed spaces. One thread, because the
// result would depend on the number of threads.
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
    const std::string model = bytes.str();
    if (const Status checked = CheckModel(path, model); !checked.ok()) return checked;
    auto made = std::make_unique<SentencePiece>();
    const auto status = made->processor_.LoadFromSerializedProto(model);
    if (!status.ok())
      return InvalidArgument(path + ": not a sentencepiece model: " + status.error_message());
    for (int id = 0; id < made->processor_.GetPieceSize(); ++id) made->AddPiece(id);
    return made;
  }

  // Writes the file atomically.
  static Status Train(const TokenizerTraining& training) {
    if (const Status status = CheckTraining(training); !status.ok()) return status;
    std::string model;
    const auto trained =
        sentencepiece::SentencePieceTrainer::Train(TrainerOptions(training), nullptr, &model);
    if (!trained.ok()) return InvalidArgument(training.corpus + ": " + trained.error_message());
    const std::string temporary = training.output + ".tmp";
    std::remove(temporary.c_str());  // a link with this name must not be followed
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
