#include "tasks/slots/pattern.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"

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

// The inside of "{...}"; null where it names no column.
absl::optional<PatternPiece> ReadSlot(absl::string_view inside, const SlotTypes& types,
                                      std::vector<PatternProblem>* problems) {
  const std::vector<std::string> parts = absl::StrSplit(inside, absl::MaxSplits(':', 2));
  if (!IsColumn(parts[0])) {
    problems->push_back(
        {"", absl::StrCat("slot \"{", inside, "}\": \"", parts[0],
                          "\" is not a column name (letters, digits, \"_\" and \"-\", not a digit "
                          "first)")});
    return absl::nullopt;
  }
  PatternPiece slot{parts.size() > 1 ? types.Find(parts[1]) : types.all().front(), parts[0],
                    parts.size() > 2 ? parts[2] : ""};
  if (slot.type != nullptr) return slot;
  problems->push_back({parts[0], absl::StrCat("slot \"{", inside, "}\": unknown slot type \"",
                                              parts[1], "\"; expected ", types.Names())});
  return PatternPiece{types.all().front(), parts[0], ""};
}

// Literal text up to the next slot; "{{" and "}}" are braces.
std::string TakeLiteral(absl::string_view text, size_t* next,
                        std::vector<PatternProblem>* problems) {
  size_t& position = *next;
  std::string literal;
  while (position < text.size()) {
    const char c = text[position];
    if (c == '{' || c == '}') {
      const bool doubled = position + 1 < text.size() && text[position + 1] == c;
      if (!doubled && c == '{') return literal;
      if (!doubled) {
        problems->push_back({"", absl::StrCat("stray \"}\" at character ", position + 1,
                                              "; write \"}}\" for a brace")});
      }
      if (doubled) ++position;
    }
    literal += c;
    ++position;
  }
  return literal;
}

}  // namespace

Pattern ReadPattern(absl::string_view text, const SlotTypes& types,
                    std::vector<PatternProblem>* problems) {
  Pattern pattern;
  for (size_t position = 0; position < text.size();) {
    std::string literal = TakeLiteral(text, &position, problems);
    if (!literal.empty()) pattern.push_back({nullptr, std::move(literal), ""});
    if (position == text.size()) break;
    const size_t end = text.find_first_of("{}", position + 1);
    if (end == absl::string_view::npos || text[end] == '{') {
      problems->push_back({"", absl::StrCat("slot at character ", position + 1,
                                            " is not closed; write \"{{\" for a brace")});
      return pattern;
    }
    auto slot = ReadSlot(text.substr(position + 1, end - position - 1), types, problems);
    if (slot.has_value()) pattern.push_back(*std::move(slot));
    position = end + 1;
  }
  return pattern;
}

absl::StatusOr<Pattern> ParsePattern(absl::string_view text, const SlotTypes& types) {
  std::vector<PatternProblem> problems;
  Pattern pattern = ReadPattern(text, types, &problems);
  if (problems.empty()) return pattern;
  return absl::InvalidArgumentError(problems.front().what);
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
