#include "tasks/metrics/ptb_tokenizer.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tasks/metrics/ptb_rules.h"
#include "tasks/metrics/ptb_spelling.h"

namespace unival {
namespace {

using Tokens = std::vector<std::string>;

re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

size_t LongestMatch(const RE2& pattern, absl::string_view text) {
  re2::StringPiece found;
  if (!pattern.Match(Piece(text), 0, text.size(), RE2::ANCHOR_START, &found, 1)) return 0;
  return found.size();
}

// Bytes of the head of what `rule` found in `text`, `total` bytes with its tail.
size_t HeadLength(const PtbRule& rule, absl::string_view text, size_t total) {
  if (rule.tail == nullptr) return total;
  for (size_t length = total; length-- > 1;) {
    if (RE2::FullMatch(Piece(text.substr(length, total - length)), *rule.tail) &&
        RE2::FullMatch(Piece(text.substr(0, length)), *rule.head)) {
      return length;
    }
  }
  return 0;
}

bool CanBegin(const PtbRule& rule, char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0x80) return true;
  if (absl::ascii_isalpha(byte)) return rule.at_letter;
  return absl::ascii_isdigit(byte) ? rule.at_digit : rule.at_other;
}

// The rule that wins at the beginning of `text`, and the bytes of its head.
std::pair<const PtbRule*, size_t> FindRule(absl::string_view text) {
  const PtbRule* best = nullptr;
  size_t most = 0;
  for (const PtbRule& rule : PtbRules()) {
    if (!CanBegin(rule, text[0])) continue;
    const size_t length = LongestMatch(*rule.whole, text);
    if (length > most) best = &rule, most = length;
  }
  if (best == nullptr) return {nullptr, 1};  // a byte that is no character
  return {best, std::max<size_t>(1, HeadLength(*best, text, most))};
}

class Lexer {
 public:
  explicit Lexer(absl::string_view text) : left_(text) {}

  std::vector<Tokens> Run() {
    lines_.emplace_back();
    while (!left_.empty()) {
      if (!TakePlainWord() && !TakeCompound()) TakeByRule();
    }
    return std::move(lines_);
  }

 private:
  // Most of a caption is letters between blanks, or before a mark that ends a sentence or a part of
  // one, which no rule takes for anything else.
  bool TakePlainWord() {
    if (left_[0] == ' ') {
      left_.remove_prefix(1);
      return true;
    }
    size_t length = 0;
    while (length < left_.size() && absl::ascii_isalpha(static_cast<unsigned char>(left_[length])))
      ++length;
    if (length == 0 || length >= left_.size()) return false;
    const absl::string_view word = left_.substr(0, length);
    const bool ends = left_[length] == ' ' || left_[length] == '\n';
    if ((!ends && !IsBeforePlainMark(length)) || IsContraction(word)) return false;
    Emit(word, length);
    if (!ends) Emit(left_.substr(0, 1), 1);
    return true;
  }

  // Whether behind the first `length` letters stands one mark and then the end of a line, or a
  // blank and another letter. Of single letters and abbreviations the rules decide.
  bool IsBeforePlainMark(size_t length) const {
    const absl::string_view mark = left_.substr(length, 3);
    if (length < 2 || mark.size() < 3 || !absl::StrContains(".,!?", mark[0])) return false;
    const bool ends =
        mark[1] == '\n'
            ? !absl::ascii_isdigit(static_cast<unsigned char>(mark[2]))
            : mark[1] == ' ' && absl::ascii_isalpha(static_cast<unsigned char>(mark[2]));
    return ends && (mark[0] != '.' || !IsPtbAbbreviation(left_.substr(0, length)));
  }

  // Letters, hyphens and apostrophes up to a blank or a line's end, "t-shirt", "isn't": no rule
  // that begins at one of them looks beyond what ends them, so that what became of them once
  // becomes of them each time.
  bool TakeCompound() {
    size_t length = 0;
    while (length < left_.size() && IsOfCompound(left_[length])) ++length;
    constexpr size_t kLongest = 40, kMostKnown = 100000;
    if (length == 0 || length > kLongest || length == left_.size()) return false;
    if (left_[length] != ' ' && left_[length] != '\n') return false;
    const std::string text(left_.substr(0, length + 1));
    const size_t rest = left_.size() - length, before = lines_.back().size();
    const auto known = compounds_.find(text);
    if (known != compounds_.end()) {
      lines_.back().insert(lines_.back().end(), known->second.begin(), known->second.end());
      left_.remove_prefix(length);
      return true;
    }
    while (left_.size() > rest) TakeByRule();
    if (left_.size() == rest && compounds_.size() < kMostKnown) {
      const auto begin = lines_.back().begin() + static_cast<std::ptrdiff_t>(before);
      compounds_.emplace(text, Tokens(begin, lines_.back().end()));
    }
    return true;
  }

  static bool IsOfCompound(char c) {
    return c == '-' || c == '\'' || absl::ascii_isalpha(static_cast<unsigned char>(c));
  }

  static bool IsContraction(absl::string_view word) {
    for (const char* contraction : {"cannot", "gonna", "gotta", "lemme", "gimme", "wanna"}) {
      if (absl::EqualsIgnoreCase(word, contraction)) return true;
    }
    return false;
  }

  void TakeByRule() {
    const auto [rule, length] = FindRule(left_);
    const absl::string_view text = left_.substr(0, length);
    if (rule == nullptr || rule->action == PtbAction::kDrop) {
      left_.remove_prefix(length);
    } else if (rule->action == PtbAction::kNewLine) {
      left_.remove_prefix(length);
      lines_.emplace_back();
    } else if (rule->action == PtbAction::kShorten2 || rule->action == PtbAction::kShorten3) {
      const size_t kept = length - (rule->action == PtbAction::kShorten2 ? 2 : 3);
      Emit(text.substr(0, kept), kept);
    } else if (rule->action == PtbAction::kReadDot) {
      Emit(text, length - 1);
    } else if (rule->action == PtbAction::kInitial) {
      Emit(length == 2 ? text.substr(0, 1) : text, length - 1);
    } else {
      Emit(PtbSpelled(rule->action, text), length);
    }
  }

  void Emit(absl::string_view token, size_t read) {
    lines_.back().emplace_back(token);
    left_.remove_prefix(read);
  }

  absl::string_view left_;
  std::vector<Tokens> lines_;
  absl::flat_hash_map<std::string, Tokens> compounds_;  // by their text and what ends it
};

bool IsDroppedPunctuation(absl::string_view token) {
  for (const char* mark : {"''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"}) {
    if (token == mark) return true;
  }
  return false;
}

// The caption as one line: a line end would make two captions of it. Characters beyond the Basic
// Multilingual Plane are dropped, because the original reads UTF-16 and does not know them.
std::string OneLine(const std::string& caption) {
  std::string line;
  for (size_t i = 0; i < caption.size(); ++i) {
    const auto byte = static_cast<unsigned char>(caption[i]);
    if (byte >= 0xF0) {
      line += "\uFFFE";
      while (i + 1 < caption.size() && (caption[i + 1] & 0xC0) == 0x80) ++i;
    } else {
      line += byte == '\n' || byte == '\r' || byte == '\v' || byte == '\f' ? ' ' : caption[i];
    }
  }
  return absl::StrReplaceAll(line, {{"\u2028", " "}, {"\u2029", " "}, {"\u0085", " "}});
}

}  // namespace

std::string LowerCase(const std::string& text) {
  if (std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; })) {
    return absl::AsciiStrToLower(text);
  }
  std::string lower;
  icu::UnicodeString::fromUTF8(text).toLower(icu::Locale::getEnglish()).toUTF8String(lower);
  return lower;
}

std::vector<std::vector<std::string>> PtbTokens(absl::string_view text) {
  return Lexer(text).Run();
}

std::vector<std::string> TokenizeCaptions(const std::vector<std::string>& captions) {
  std::string text;
  for (size_t i = 0; i < captions.size(); ++i) {
    if (i > 0) text += '\n';
    text += OneLine(captions[i]);
  }
  std::vector<std::string> result;
  for (const Tokens& tokens : PtbTokens(text)) {
    Tokens words;
    for (const std::string& token : tokens) {
      if (!IsDroppedPunctuation(token)) words.push_back(LowerCase(token));
    }
    result.push_back(absl::StrJoin(words, " "));
  }
  result.resize(captions.size());  // none at all for no captions
  return result;
}

}  // namespace unival
