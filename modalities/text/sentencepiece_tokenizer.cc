#include "modalities/text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "modalities/text/tokenizer_library_loader.h"
#include "sdk/hash/sha256.h"
#include "sdk/native/status_macros.h"

namespace unival {
namespace {

constexpr char kModelFile[] = "tokenizer.model";
constexpr char kSpaceSymbol[] = "\xe2\x96\x81";  // U+2581

struct ModelCloser {
  const UnivalTokenizerLibrary* library;
  void operator()(UnivalTextModel* model) const { library->close(model); }
};
using ModelPointer = std::unique_ptr<UnivalTextModel, ModelCloser>;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (!file || !(bytes << file.rdbuf())) {
    return absl::NotFoundError(
        absl::StrCat(path, ": cannot read the tokenizer's model (or it is empty)"));
  }
  return bytes.str();
}

// "<0x41>" -> "A"
std::string ByteOf(absl::string_view piece) {
  const absl::string_view digits = piece.size() == 6 ? piece.substr(3, 2) : "00";
  return absl::HexStringToBytes(digits);
}

class Implementation : public SentencePieceTokenizer {
 public:
  Implementation(const UnivalTokenizerLibrary* library, ModelPointer model)
      : library_(library), model_(std::move(model)) {}

  const TokenBlockSpec& block() const override { return block_; }

  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, EncodePieces(text));
    std::vector<int64_t> locals;
    locals.reserve(ids.size());
    for (int32_t id : ids) {
      const int64_t local = local_of_piece_[id];
      if (local != kNone) locals.push_back(local);
    }
    return locals;
  }

  absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const override {
    std::string text;
    for (int64_t token : tokens) {
      if (token < 0 || token >= block_.size) {
        return absl::OutOfRangeError(absl::StrCat("tokenizer block \"", block_.id, "\" has ",
                                                  block_.size, " entries, index ", token,
                                                  " is outside"));
      }
      text += texts_[token];
    }
    return text;
  }

  void Index(const std::string& block) {
    Sha256 hash;
    const int32_t count = library_->piece_count(model_.get());
    for (int32_t id = 0; id < count; ++id) AddPiece(id, hash);
    block_ = {block, static_cast<int64_t>(texts_.size()), hash.HexDigest()};
  }

 private:
  static constexpr int64_t kUnknown = -1;
  static constexpr int64_t kNone = -2;

  void AddPiece(int32_t id, Sha256& hash) {
    const char* bytes = nullptr;
    size_t size = 0;
    const int kind = library_->piece(model_.get(), id, &bytes, &size);
    const absl::string_view piece(bytes, size);
    if (kind != UNIVAL_PIECE_TEXT && kind != UNIVAL_PIECE_BYTE) {
      local_of_piece_.push_back(kind == UNIVAL_PIECE_UNKNOWN ? kUnknown : kNone);
      return;
    }
    local_of_piece_.push_back(static_cast<int64_t>(texts_.size()));
    texts_.push_back(kind == UNIVAL_PIECE_BYTE ? ByteOf(piece)
                                               : absl::StrReplaceAll(piece, {{kSpaceSymbol, " "}}));
    hash.UpdateField(piece);
  }

  absl::StatusOr<std::vector<int32_t>> EncodePieces(absl::string_view text) const {
    // More pieces than bytes only where normalisation expands characters: then a second call with
    // the exact size.
    std::vector<int32_t> ids(text.size() + 1);
    char error[UNIVAL_TOKENIZER_ERROR_SIZE] = "";
    size_t count = 0;
    auto encode = [&] {
      return library_->encode(model_.get(), text.data(), text.size(), ids.data(), ids.size(),
                              &count, error);
    };
    int code = encode();
    if (code == UNIVAL_TOKENIZER_SPACE) {
      ids.resize(count);
      code = encode();
    }
    if (code != UNIVAL_TOKENIZER_OK) {
      return absl::InternalError(absl::StrCat("sentencepiece cannot encode \"",
                                              absl::CHexEscape(text.substr(0, 80)), "\": ", error));
    }
    ids.resize(count);
    return ids;
  }

  const UnivalTokenizerLibrary* const library_;
  const ModelPointer model_;
  TokenBlockSpec block_;
  std::vector<int64_t> local_of_piece_;  // by sentencepiece id
  std::vector<std::string> texts_;       // by local index
};

absl::Status CheckTraining(const SentencePieceTraining& training) {
  std::ifstream corpus(training.corpus);
  if (!corpus || corpus.peek() == std::ifstream::traits_type::eof()) {
    return absl::InvalidArgumentError(
        absl::StrCat(training.corpus, ": the corpus is missing or empty"));
  }
  for (const std::string& symbol : training.symbols) {
    if (symbol.empty() || absl::StrContains(symbol, ",")) {
      return absl::InvalidArgumentError(
          absl::StrCat("tokenizer training: symbol \"", symbol, "\" is empty or contains a comma"));
    }
  }
  // Sentencepiece's own three pieces, and at least one of text.
  const int least = static_cast<int>(training.symbols.size()) + 4;
  if (training.vocabulary_size >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("tokenizer training: vocabulary_size ",
                                                 training.vocabulary_size, ", expected at least ",
                                                 least));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> SentencePieceTokenizer::Create(
    const std::string& directory, const std::string& block, const std::string& library) {
  const std::string path = absl::StrCat(directory, "/", kModelFile);
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  UNIVAL_ASSIGN_OR_RETURN(const UnivalTokenizerLibrary* opened, OpenSentencePieceLibrary(library));
  char error[UNIVAL_TOKENIZER_ERROR_SIZE] = "";
  UnivalTextModel* model = nullptr;
  if (opened->open(bytes.data(), bytes.size(), &model, error) != UNIVAL_TOKENIZER_OK) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a sentencepiece model: ", error));
  }
  auto tokenizer =
      std::make_unique<Implementation>(opened, ModelPointer(model, ModelCloser{opened}));
  tokenizer->Index(block);
  return tokenizer;
}

absl::Status TrainSentencePiece(const SentencePieceTraining& training, const std::string& output) {
  UNIVAL_RETURN_IF_ERROR(CheckTraining(training));
  UNIVAL_ASSIGN_OR_RETURN(const UnivalTokenizerLibrary* library,
                          OpenSentencePieceLibrary(training.library));
  std::vector<const char*> symbols;
  for (const std::string& symbol : training.symbols) symbols.push_back(symbol.c_str());
  const UnivalTokenizerTraining request = {training.corpus.c_str(), training.vocabulary_size,
                                           symbols.data(), symbols.size()};
  const std::string temporary = output + ".tmp";
  char error[UNIVAL_TOKENIZER_ERROR_SIZE] = "";
  if (library->train(&request, temporary.c_str(), error) != UNIVAL_TOKENIZER_OK) {
    std::remove(temporary.c_str());
    return absl::InvalidArgumentError(
        absl::StrCat("tokenizer training on ", training.corpus, ": ", error));
  }
  if (std::rename(temporary.c_str(), output.c_str()) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(output, ": cannot write: ", std::strerror(errno)));
}

}  // namespace unival
