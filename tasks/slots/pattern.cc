#include "tasks/slots/pattern.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

bool IsColumn(absl::string_view name) {
  if (name.empty() || !(absl::ascii_isalpha(name[0]) || name[0] == '_')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; });
}

bool IsBlank(const PatternPiece& piece) {
  return piece.type == nullptr && absl::StripAsciiWhitespace(piece.text).empty();
}

// The inside of "{...}".
absl::StatusOr<PatternPiece> ParseSlot(absl::string_view inside, const SlotTypes& types) {
  const std::vector<std::string> parts = absl::StrSplit(inside, absl::MaxSplits(':', 2));
  if (!IsColumn(parts[0])) {
    return absl::InvalidArgumentError(absl::StrCat(
        "slot \"{", inside, "}\": \"", parts[0],
        "\" is not a column name (letters, digits, \"_\" and \"-\", not a digit first)"));
  }
  PatternPiece slot{parts.size() > 1 ? types.Find(parts[1]) : types.all().front(), parts[0],
                    parts.size() > 2 ? parts[2] : ""};
  if (slot.type != nullptr) return slot;
  return absl::InvalidArgumentError(absl::StrCat("slot \"{", inside, "}\": unknown slot type \"",
                                                 parts[1], "\"; expected ", types.Names()));
}

// Literal text up to the next slot; "{{" and "}}" are braces.
absl::StatusOr<std::string> TakeLiteral(absl::string_view text, size_t* next) {
  size_t& position = *next;
  std::string literal;
  while (position < text.size()) {
    const char c = text[position];
    if (c == '{' || c == '}') {
      const bool doubled = position + 1 < text.size() && text[position + 1] == c;
      if (!doubled && c == '{') return literal;
      if (!doubled) {
        return absl::InvalidArgumentError(
            absl::StrCat("stray \"}\" at character ", position + 1, "; write \"}}\" for a brace"));
      }
      ++position;
    }
    literal += c;
    ++position;
  }
  return literal;
}

}  // namespace

absl::StatusOr<Pattern> ParsePattern(absl::string_view text, const SlotTypes& types) {
  Pattern pattern;
  for (size_t position = 0; position < text.size();) {
    UNIVAL_ASSIGN_OR_RETURN(std::string literal, TakeLiteral(text, &position));
    if (!literal.empty()) pattern.push_back({nullptr, std::move(literal), ""});
    if (position == text.size()) break;
    const size_t end = text.find_first_of("{}", position + 1);
    if (end == absl::string_view::npos || text[end] == '{') {
      return absl::InvalidArgumentError(absl::StrCat("slot at character ", position + 1,
                                                     " is not closed; write \"{{\" for a brace"));
    }
    UNIVAL_ASSIGN_OR_RETURN(PatternPiece slot,
                            ParseSlot(text.substr(position + 1, end - position - 1), types));
    pattern.push_back(std::move(slot));
    position = end + 1;
  }
  return pattern;
}

std::vector<std::string> PatternColumns(const Pattern& pattern) {
  std::vector<std::string> columns;
  for (const PatternPiece& piece : pattern) {
    if (piece.type == nullptr) continue;
    if (std::find(columns.begin(), columns.end(), piece.text) == columns.end()) {
      columns.push_back(piece.text);
    }
  }
  return columns;
}

bool HasSlot(const Pattern& pattern, const SlotType& type) {
  return std::any_of(pattern.begin(), pattern.end(),
                     [&type](const PatternPiece& piece) { return piece.type.get() == &type; });
}

const PatternPiece* FirstPiece(const Pattern& pattern) {
  const auto first = std::find_if_not(pattern.begin(), pattern.end(), IsBlank);
  return first == pattern.end() ? nullptr : &*first;
}

const PatternPiece* OnlySlot(const Pattern& pattern) {
  const PatternPiece* first = FirstPiece(pattern);
  if (first == nullptr || first->type == nullptr) return nullptr;
  const auto others = std::count_if(pattern.begin(), pattern.end(),
                                    [](const PatternPiece& piece) { return !IsBlank(piece); });
  return others == 1 ? first : nullptr;
}

}  // namespace unival
