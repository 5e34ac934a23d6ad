// Tokenizer type "gpt2_bpe", used by the published checkpoints: GPT-2's byte-level BPE. A
// dictionary maps GPT-2's ids to local indices. Files in the tokenizer's directory: encoder.json
// (symbol -> GPT-2 id), vocab.bpe (merges, best first), dict.txt (one "GPT2_ID COUNT" per line; the
// line number is the local index). A plugin of tier 2 is one source file, so it stands
// in one piece.
//
// Lossless on valid UTF-8, including a leading space. Dictionary lines that are not a GPT-2 id
// ("madeupword0000") are never produced and decode to an empty text.
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <queue>
#include <sstream>
#include <unordered_map>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

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

// The characters of `text` and one past the end.
Status Characters(std::string_view text, std::vector<Character>* characters) {
  constexpr size_t kMaxBytes = 1 << 30;
  if (text.size() > kMaxBytes) return InvalidArgument("text is larger than 1 GiB");
  const int32_t size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    const int32_t begin = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (c < 0) return InvalidArgument("text is not UTF-8 at byte " + std::to_string(begin));
    characters->push_back({begin, ClassOf(c)});
  }
  characters->push_back({size, CharClass::kSpace});
  return Status();
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// Length of 's 't 're 've 'm 'll 'd at the start of `rest`, or 0.
size_t ContractionLength(std::string_view rest) {
  for (std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (StartsWith(rest, contraction)) return contraction.size();
  }
  return 0;
}

// Index one past the word that starts at `first`, by GPT-2's pattern:
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
size_t WordEnd(std::string_view text, const std::vector<Character>& characters, size_t first) {
  const size_t end = characters.size() - 1;
  const std::string_view rest = text.substr(characters[first].begin);
  // Contractions are ASCII: as many characters as bytes.
  if (const size_t length = ContractionLength(rest)) return first + length;
  const bool leads =
      rest[0] == ' ' && first + 1 < end && characters[first + 1].type != CharClass::kSpace;
  const size_t start = leads ? first + 1 : first;
  size_t to = start;
  while (to < end && characters[to].type == characters[start].type) ++to;
  // The last space before a word belongs to the word.
  const bool spaces = characters[start].type == CharClass::kSpace;
  return spaces && to < end && to - start > 1 ? to - 1 : to;
}

// GPT-2 writes every byte as a printable character. Returns the map from code point to byte.
std::unordered_map<UChar32, char> BytesOfCharacters() {
  std::unordered_map<UChar32, char> bytes;
  UChar32 next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    bytes[printable ? byte : next++] = static_cast<char>(byte);
  }
  return bytes;
}

// The bytes that a symbol represents; false when one of its characters represents no byte.
bool BytesOf(std::string_view symbol, std::string* result) {
  static const std::unordered_map<UChar32, char> bytes = BytesOfCharacters();
  const int32_t size = static_cast<int32_t>(symbol.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(symbol.data(), i, size, c);
    auto found = bytes.find(c);
    if (found == bytes.end()) return false;
    result->push_back(found->second);
  }
  return true;
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (!file || !(bytes << file.rdbuf()))
    return NotFound(path + ": cannot read this tokenizer file (or it is empty)");
  return bytes.str();
}

// Calls `use(line, number)` for each line until it is not OK.
template <typename Use>
Status ForEachLine(const std::string& path, Use&& use) {
  auto text = ReadFile(path);
  if (!text.ok()) return text.status();
  std::istringstream lines(*text);
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    const Status status = use(line, ++number);
    if (!status.ok()) return status;
  }
  return Status();
}

uint64_t PairKey(int64_t left, int64_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint64_t>(right);
}

class Gpt2Bpe : public Tokenizer {
 public:
  static Result<std::unique_ptr<Gpt2Bpe>> Create(const TokenizerConfig& config) {
    auto made = std::make_unique<Gpt2Bpe>();
    Status status = made->LoadSymbols(config.directory + "/encoder.json");
    if (status.ok()) status = made->LoadMerges(config.directory + "/vocab.bpe");
    if (status.ok()) status = made->LoadDictionary(config.directory + "/dict.txt");
    if (!status.ok()) return status;
    return made;
  }

  int64_t size() const override { return static_cast<int64_t>(texts_.size()); }
  std::string Surface(int64_t index) const override { return surfaces_[index]; }

  Status Encode(std::string_view text, std::vector<int64_t>* ids) const override {
    std::vector<Character> characters;
    if (const Status status = Characters(text, &characters); !status.ok()) return status;
    for (size_t first = 0; first + 1 < characters.size();) {
      const size_t last = WordEnd(text, characters, first);
      const int32_t begin = characters[first].begin;
      for (int64_t id : EncodeWord(text.substr(begin, characters[last].begin - begin))) {
        auto local = local_of_id_.find(id);
        ids->push_back(local == local_of_id_.end() ? -1 : local->second);
      }
      first = last;
    }
    return Status();
  }

  Status Decode(const std::vector<int64_t>& ids, std::string* text) const override {
    for (int64_t id : ids) *text += texts_[id];
    return Status();
  }

 private:
  struct Merge {
    int64_t rank;
    int64_t merged;
  };

  // The pieces of a word during merging. A linked list and a queue of possible merges, so that no
  // pair is examined twice: a word from a record may be a megabyte long.
  struct Piece {
    int64_t id;
    int32_t before, after;  // neighbours; -1: none
    bool is_there = true;
  };
  struct Candidate {
    int64_t rank;
    int32_t at;  // its left piece
    int64_t left, right, merged;
    bool operator<(const Candidate& other) const {  // the lowest rank first, then the leftmost
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  using Candidates = std::priority_queue<Candidate>;

  void AddCandidate(const std::vector<Piece>& pieces, int32_t at, Candidates& queue) const {
    if (at < 0 || pieces[at].after < 0) return;
    const int64_t left = pieces[at].id, right = pieces[pieces[at].after].id;
    auto found = merges_.find(PairKey(left, right));
    if (found != merges_.end())
      queue.push({found->second.rank, at, left, right, found->second.merged});
  }

  // False when one of the two pieces has been merged into another piece.
  static bool Apply(const Candidate& merge, std::vector<Piece>& pieces) {
    Piece& left = pieces[merge.at];
    if (!left.is_there || left.id != merge.left || left.after < 0) return false;
    Piece& right = pieces[left.after];
    if (right.id != merge.right) return false;
    right.is_there = false;
    left.id = merge.merged;
    left.after = right.after;
    if (left.after >= 0) pieces[left.after].before = merge.at;
    return true;
  }

  // Merges all pairs of the lowest rank from left to right, then those of the next rank, as GPT-2
  // does.
  std::vector<int64_t> EncodeWord(std::string_view word) const {
    std::vector<Piece> pieces;
    const auto count = static_cast<int32_t>(word.size());
    for (int32_t i = 0; i < count; ++i) {
      const int64_t id = id_of_byte_[static_cast<unsigned char>(word[i])];
      pieces.push_back({id, i - 1, i + 1 < count ? i + 1 : -1});
    }
    Candidates queue;
    for (int32_t i = 0; i < count; ++i) AddCandidate(pieces, i, queue);
    while (!queue.empty()) {
      std::vector<Candidate> round;
      for (const int64_t rank = queue.top().rank; !queue.empty() && queue.top().rank == rank;) {
        round.push_back(queue.top());
        queue.pop();
      }
      std::vector<int32_t> merged;
      for (const Candidate& candidate : round) {
        if (Apply(candidate, pieces)) merged.push_back(candidate.at);
      }
      for (const int32_t at : merged) {
        AddCandidate(pieces, at, queue);
        AddCandidate(pieces, pieces[at].before, queue);
      }
    }
    std::vector<int64_t> ids;
    for (int32_t i = 0; i >= 0 && i < count; i = pieces[i].after) ids.push_back(pieces[i].id);
    return ids;
  }

  Status LoadSymbols(const std::string& path) {
    auto text = ReadFile(path);
    if (!text.ok()) return text.status();
    const nlohmann::json symbols = nlohmann::json::parse(*text, nullptr, false);
    if (!symbols.is_object()) return InvalidArgument(path + ": expected a JSON object of ids");
    id_of_byte_.assign(256, -1);
    for (const auto& [symbol, id] : symbols.items()) {
      std::string bytes;
      if (!BytesOf(symbol, &bytes) || !id.is_number_unsigned() ||
          id.get<uint64_t>() >= (1u << 31)) {
        return InvalidArgument(path + ": entry \"" + symbol +
                               "\" is not a GPT-2 symbol with its id");
      }
      ids_.emplace(bytes, id.get<int64_t>());
      symbols_.emplace(id.get<int64_t>(), bytes);
      if (bytes.size() == 1) id_of_byte_[static_cast<unsigned char>(bytes[0])] = id.get<int64_t>();
    }
    if (std::count(id_of_byte_.begin(), id_of_byte_.end(), -1) == 0) return Status();
    return InvalidArgument(path + ": expected a symbol for each of the 256 bytes");
  }

  Status LoadMerges(const std::string& path) {
    return ForEachLine(path, [&](const std::string& line, int64_t number) {
      if (line.empty() || (number == 1 && StartsWith(line, "#version"))) return Status();
      const size_t space = line.find(' ');
      const bool pair =
          space != std::string::npos && line.find(' ', space + 1) == std::string::npos;
      if (pair && AddMerge(line.substr(0, space), line.substr(space + 1), number)) return Status();
      return InvalidArgument(path + ":" + std::to_string(number) +
                             ": expected two symbols of encoder.json, got \"" + line + "\"");
    });
  }

  bool AddMerge(const std::string& left, const std::string& right, int64_t rank) {
    std::string left_bytes, right_bytes;
    if (!BytesOf(left, &left_bytes) || !BytesOf(right, &right_bytes)) return false;
    auto left_id = ids_.find(left_bytes), right_id = ids_.find(right_bytes),
         merged = ids_.find(left_bytes + right_bytes);
    if (left_id == ids_.end() || right_id == ids_.end() || merged == ids_.end()) return false;
    merges_.emplace(PairKey(left_id->second, right_id->second), Merge{rank, merged->second});
    return true;
  }

  Status LoadDictionary(const std::string& path) {
    const Status status = ForEachLine(path, [&](const std::string& line, int64_t) {
      if (!line.empty()) AddWord(line.substr(0, line.find(' ')));
      return Status();
    });
    if (!status.ok()) return status;
    return local_of_id_.empty()
               ? InvalidArgument(path + ": no line starts with an id of encoder.json")
               : Status();
  }

  void AddWord(const std::string& word) {
    const bool number = !word.empty() && word.size() < 11 &&
                        word.find_first_not_of("0123456789") == std::string::npos;
    auto symbol = number ? symbols_.find(std::stoll(word)) : symbols_.end();
    if (symbol != symbols_.end()) local_of_id_.emplace(symbol->first, size());
    surfaces_.push_back(symbol == symbols_.end() ? word : symbol->second);
    texts_.push_back(symbol == symbols_.end() ? "" : symbol->second);
  }

  std::vector<int64_t> id_of_byte_;                   // GPT-2 id of each byte
  std::unordered_map<std::string, int64_t> ids_;      // bytes -> GPT-2 id
  std::unordered_map<int64_t, std::string> symbols_;  // GPT-2 id -> bytes
  std::unordered_map<uint64_t, Merge> merges_;        // by the pair of GPT-2 ids
  std::unordered_map<int64_t, int64_t> local_of_id_;  // GPT-2 id -> local index
  std::vector<std::string> surfaces_, texts_;         // by local index
};

}  // namespace

UNIVAL_PLUGIN("gpt2_bpe", "1.0.0",
              TokenizerOf<Gpt2Bpe>("gpt2_bpe",
                                   "GPT-2 byte-level BPE (encoder.json, vocab.bpe, dict.txt)"))
