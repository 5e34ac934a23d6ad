#include "modalities/text/gpt2_bpe_tokenizer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/hash/sha256.h"
#include "sdk/native/status_macros.h"

namespace unival {
namespace {

enum class CharClass { kLetter, kNumber, kSpace, kOther };

CharClass ClassOf(UChar32 c) {
  if (u_isUWhiteSpace(c)) return CharClass::kSpace;
  const uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return CharClass::kLetter;
  return category & U_GC_N_MASK ? CharClass::kNumber : CharClass::kOther;
}

struct Character {
  int32_t begin;  // byte offset
  CharClass type;
};

// The characters of `text` and one past the end. InvalidArgument names the first byte that is no
// UTF-8.
absl::StatusOr<std::vector<Character>> Characters(absl::string_view text) {
  constexpr size_t kMaxBytes = 1 << 30;
  if (text.size() > kMaxBytes) return absl::InvalidArgumentError("text is larger than 1 GiB");
  std::vector<Character> characters;
  const int32_t size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    const int32_t begin = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (c < 0) {
      return absl::InvalidArgumentError(absl::StrCat("text is not UTF-8 at byte ", begin));
    }
    characters.push_back({begin, ClassOf(c)});
  }
  characters.push_back({size, CharClass::kSpace});
  return characters;
}

// Length of 's 't 're 've 'm 'll 'd at the start of `rest`, or 0.
size_t ContractionLength(absl::string_view rest) {
  for (absl::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (absl::StartsWith(rest, contraction)) return contraction.size();
  }
  return 0;
}

// Index one past the word that starts at `first`, by GPT-2's pattern:
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
size_t WordEnd(absl::string_view text, const std::vector<Character>& characters, size_t first) {
  const size_t end = characters.size() - 1;
  const absl::string_view rest = text.substr(characters[first].begin);
  // Contractions are ASCII: as many characters as bytes.
  if (const size_t length = ContractionLength(rest)) return first + length;
  auto run_end = [&](size_t from) {
    size_t to = from;
    while (to < end && characters[to].type == characters[from].type) ++to;
    return to;
  };
  const size_t start =
      rest[0] == ' ' && first + 1 < end && characters[first + 1].type != CharClass::kSpace
          ? first + 1
          : first;
  const size_t to = run_end(start);
  const bool spaces = characters[start].type == CharClass::kSpace;
  // The last space before a word belongs to the word.
  return spaces && to < end && to - start > 1 ? to - 1 : to;
}

// GPT-2 spells every byte as a printable character. Returns byte by code point.
std::unordered_map<UChar32, char> BytesOfCharacters() {
  std::unordered_map<UChar32, char> bytes;
  UChar32 next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    bytes[printable ? byte : next++] = static_cast<char>(byte);
  }
  return bytes;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (!file || !(bytes << file.rdbuf())) {
    return absl::NotFoundError(
        absl::StrCat(path, ": cannot read this tokenizer file (or it is empty)"));
  }
  return bytes.str();
}

uint64_t PairKey(int64_t left, int64_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint64_t>(right);
}

class Implementation : public Gpt2BpeTokenizer {
 public:
  const TokenBlockSpec& block() const override { return block_; }

  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<Character> characters, Characters(text));
    std::vector<int64_t> locals;
    for (size_t first = 0; first + 1 < characters.size();) {
      const size_t last = WordEnd(text, characters, first);
      const int32_t begin = characters[first].begin;
      for (int64_t id : EncodeWord(text.substr(begin, characters[last].begin - begin))) {
        auto local = local_of_id_.find(id);
        locals.push_back(local == local_of_id_.end() ? -1 : local->second);
      }
      first = last;
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

  absl::Status Load(const std::string& directory, const std::string& block) {
    UNIVAL_RETURN_IF_ERROR(LoadSymbols(directory + "/encoder.json"));
    UNIVAL_RETURN_IF_ERROR(LoadMerges(directory + "/vocab.bpe"));
    return LoadDictionary(directory + "/dict.txt", block);
  }

 private:
  struct Merge {
    int64_t rank;
    int64_t merged;
  };

  std::vector<int64_t> EncodeWord(absl::string_view word) const {
    std::vector<int64_t> ids;
    for (char byte : word) ids.push_back(id_of_byte_[static_cast<unsigned char>(byte)]);
    while (const Merge* best = BestMerge(ids)) Apply(*best, ids);
    return ids;
  }

  const Merge* BestMerge(const std::vector<int64_t>& ids) const {
    const Merge* best = nullptr;
    for (size_t i = 1; i < ids.size(); ++i) {
      auto found = merges_.find(PairKey(ids[i - 1], ids[i]));
      if (found != merges_.end() && (!best || found->second.rank < best->rank)) {
        best = &found->second;
      }
    }
    return best;
  }

  void Apply(const Merge& merge, std::vector<int64_t>& ids) const {
    size_t kept = 0;
    for (size_t i = 0; i < ids.size(); ++i, ++kept) {
      auto found = i + 1 < ids.size() ? merges_.find(PairKey(ids[i], ids[i + 1])) : merges_.end();
      const bool match = found != merges_.end() && found->second.rank == merge.rank;
      ids[kept] = match ? merge.merged : ids[i];
      i += match;
    }
    ids.resize(kept);
  }

  absl::StatusOr<std::string> BytesOf(absl::string_view symbol) const {
    static const auto& bytes = *new std::unordered_map<UChar32, char>(BytesOfCharacters());
    std::string result;
    const int32_t size = static_cast<int32_t>(symbol.size());
    for (int32_t i = 0; i < size;) {
      UChar32 c;
      U8_NEXT(symbol.data(), i, size, c);
      auto found = bytes.find(c);
      if (found == bytes.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("symbol \"", symbol, "\" has a character that stands for no byte"));
      }
      result.push_back(found->second);
    }
    return result;
  }

  absl::Status LoadSymbols(const std::string& path) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    const nlohmann::json symbols = nlohmann::json::parse(text, nullptr, false);
    if (!symbols.is_object()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": expected a JSON object of ids"));
    }
    id_of_byte_.assign(256, -1);
    for (const auto& [symbol, id] : symbols.items()) {
      absl::StatusOr<std::string> bytes = BytesOf(symbol);
      if (!bytes.ok() || !id.is_number_unsigned() || id.get<uint64_t>() >= (1u << 31)) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": entry \"", symbol, "\" is not a GPT-2 symbol with its id"));
      }
      ids_.emplace(*bytes, id.get<int64_t>());
      symbols_.emplace(id.get<int64_t>(), *bytes);
      if (bytes->size() == 1) {
        id_of_byte_[static_cast<unsigned char>((*bytes)[0])] = id.get<int64_t>();
      }
    }
    if (std::count(id_of_byte_.begin(), id_of_byte_.end(), -1) == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a symbol for each of the 256 bytes"));
  }

  absl::Status LoadMerges(const std::string& path) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    int64_t line_number = 0;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_number;
      if (line.empty() || (line_number == 1 && absl::StartsWith(line, "#version"))) continue;
      const std::vector<absl::string_view> pair = absl::StrSplit(line, ' ');
      if (pair.size() != 2 || !AddMerge(pair[0], pair[1], line_number)) {
        return absl::InvalidArgumentError(absl::StrCat(
            path, ":", line_number, ": expected two symbols of encoder.json, got \"", line, "\""));
      }
    }
    return absl::OkStatus();
  }

  bool AddMerge(absl::string_view left, absl::string_view right, int64_t rank) {
    const absl::StatusOr<std::string> left_bytes = BytesOf(left), right_bytes = BytesOf(right);
    if (!left_bytes.ok() || !right_bytes.ok()) return false;
    auto left_id = ids_.find(*left_bytes), right_id = ids_.find(*right_bytes);
    auto merged = ids_.find(*left_bytes + *right_bytes);
    if (left_id == ids_.end() || right_id == ids_.end() || merged == ids_.end()) return false;
    merges_.emplace(PairKey(left_id->second, right_id->second), Merge{rank, merged->second});
    return true;
  }

  absl::Status LoadDictionary(const std::string& path, const std::string& block) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    Sha256 hash;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (line.empty()) continue;
      const std::pair<absl::string_view, absl::string_view> word_and_count =
          absl::StrSplit(line, absl::MaxSplits(' ', 1));
      const absl::string_view word = word_and_count.first;
      int64_t id = -1;
      auto symbol = absl::SimpleAtoi(word, &id) ? symbols_.find(id) : symbols_.end();
      if (symbol != symbols_.end()) {
        local_of_id_.emplace(id, static_cast<int64_t>(texts_.size()));
      }
      texts_.push_back(symbol == symbols_.end() ? "" : symbol->second);
      hash.UpdateField(symbol == symbols_.end() ? word : absl::string_view(symbol->second));
    }
    block_ = {block, static_cast<int64_t>(texts_.size()), hash.HexDigest()};
    if (!local_of_id_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": no line starts with an id of encoder.json"));
  }

  TokenBlockSpec block_;
  std::vector<int64_t> id_of_byte_;                   // GPT-2 id of each byte
  std::unordered_map<std::string, int64_t> ids_;      // bytes -> GPT-2 id
  std::unordered_map<int64_t, std::string> symbols_;  // GPT-2 id -> bytes
  std::unordered_map<uint64_t, Merge> merges_;        // by the pair of GPT-2 ids
  std::unordered_map<int64_t, int64_t> local_of_id_;  // GPT-2 id -> local index
  std::vector<std::string> texts_;                    // by local index
};

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> Gpt2BpeTokenizer::Create(const std::string& directory,
                                                                    const std::string& block) {
  auto tokenizer = std::make_unique<Implementation>();
  UNIVAL_RETURN_IF_ERROR(tokenizer->Load(directory, block));
  return tokenizer;
}

}  // namespace unival
