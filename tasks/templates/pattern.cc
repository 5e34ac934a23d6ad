#include "tasks/templates/pattern.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct TypeName {
  SlotType type;
  absl::string_view name;
};
constexpr TypeName kTypeNames[] = {{SlotType::kText, "text"},
                                   {SlotType::kNumber, "number"},
                                   {SlotType::kLabel, "label"},
                                   {SlotType::kBox, "box"},
                                   {SlotType::kCodes, "codes"}};

bool IsColumn(absl::string_view name) {
  if (name.empty() || !(absl::ascii_isalpha(name[0]) || name[0] == '_')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; });
}

absl::StatusOr<SlotType> ParseType(absl::string_view name) {
  for (const TypeName& known : kTypeNames) {
    if (known.name == name) return known.type;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown slot type '", name, "'; expected text, number, label, box or codes"));
}

// The inside of "{...}".
absl::StatusOr<PatternPiece> ParseSlot(absl::string_view inside) {
  const size_t colon = inside.find(':');
  PatternPiece slot;
  slot.type = SlotType::kText;
  slot.text = std::string(inside.substr(0, colon));
  if (!IsColumn(slot.text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("slot '{", inside, "}': '", slot.text,
                     "' is not a column name (letters, digits, '_' and '-', not a digit first)"));
  }
  if (colon == absl::string_view::npos) return slot;
  absl::StatusOr<SlotType> type = ParseType(inside.substr(colon + 1));
  if (!type.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("slot '{", inside, "}': ", type.status().message()));
  }
  slot.type = *type;
  return slot;
}

// Literal text up to the next slot; "{{" and "}}" are braces.
absl::StatusOr<std::string> TakeLiteral(absl::string_view text, size_t& position) {
  std::string literal;
  while (position < text.size()) {
    const char c = text[position];
    if (c == '{' || c == '}') {
      const bool doubled = position + 1 < text.size() && text[position + 1] == c;
      if (!doubled && c == '{') return literal;
      if (!doubled) {
        return absl::InvalidArgumentError(
            absl::StrCat("stray '}' at character ", position + 1, "; write '}}' for a brace"));
      }
      ++position;
    }
    literal += c;
    ++position;
  }
  return literal;
}

}  // namespace

absl::StatusOr<Pattern> ParsePattern(absl::string_view text) {
  Pattern pattern;
  for (size_t position = 0; position < text.size();) {
    UNIVAL_ASSIGN_OR_RETURN(std::string literal, TakeLiteral(text, position));
    if (!literal.empty()) pattern.push_back({SlotType::kLiteral, std::move(literal)});
    if (position == text.size()) break;
    const size_t end = text.find_first_of("{}", position + 1);
    if (end == absl::string_view::npos || text[end] == '{') {
      return absl::InvalidArgumentError(absl::StrCat("slot at character ", position + 1,
                                                     " is not closed; write '{{' for a brace"));
    }
    UNIVAL_ASSIGN_OR_RETURN(PatternPiece slot,
                            ParseSlot(text.substr(position + 1, end - position - 1)));
    pattern.push_back(std::move(slot));
    position = end + 1;
  }
  return pattern;
}

absl::string_view SlotTypeName(SlotType type) {
  for (const TypeName& known : kTypeNames) {
    if (known.type == type) return known.name;
  }
  return "literal";
}

std::vector<std::string> PatternColumns(const Pattern& pattern) {
  std::vector<std::string> columns;
  for (const PatternPiece& piece : pattern) {
    if (piece.type == SlotType::kLiteral) continue;
    if (std::find(columns.begin(), columns.end(), piece.text) == columns.end()) {
      columns.push_back(piece.text);
    }
  }
  return columns;
}

bool HasSlot(const Pattern& pattern, SlotType type) {
  return std::any_of(pattern.begin(), pattern.end(),
                     [type](const PatternPiece& piece) { return piece.type == type; });
}

bool IsOnly(const Pattern& pattern, SlotType type) {
  int slots = 0;
  for (const PatternPiece& piece : pattern) {
    const bool blank =
        piece.type == SlotType::kLiteral && absl::StripAsciiWhitespace(piece.text).empty();
    if (blank) continue;
    if (piece.type != type) return false;
    ++slots;
  }
  return slots == 1;
}

}  // namespace unival
