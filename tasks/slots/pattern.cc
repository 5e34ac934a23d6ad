#include "tasks/slots/pattern.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "tasks/slots/builtin_slots.h"

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

// What the inside of "{...}" may name.
struct Names {
  const SlotTypes& types;
  const TaskTemplate* task;  // whose media inputs are known; null: none are
};

const TaskInput* FindInput(const TaskTemplate* task, absl::string_view name) {
  if (task == nullptr || name.empty()) return nullptr;
  const auto found = std::find_if(task->input().begin(), task->input().end(),
                                  [name](const TaskInput& input) { return input.name() == name; });
  return found == task->input().end() ? nullptr : &*found;
}

// "{second}" or "{image:second}"; null where it is no media input.
absl::optional<PatternPiece> ReadMedia(const std::vector<std::string>& parts, const Names& names,
                                       std::vector<PatternProblem>* problems) {
  if (parts.size() > 2 || (parts.size() == 2 && names.types.Find(parts[1]) != nullptr))
    return absl::nullopt;
  const TaskInput* input = FindInput(names.task, parts.back());
  if (input == nullptr) return absl::nullopt;
  if (parts.size() == 2 && parts[0] != input->modality()) {
    problems->push_back(
        {input->name(), absl::StrCat("slot \"{", parts[0], ":", parts[1], "}\": input \"", parts[1],
                                     "\" is of modality \"", input->modality(), "\"; write {",
                                     input->modality(), ":", parts[1], "}")});
  }
  return PatternPiece{MediaSlot(), input->name(), ""};
}

// The inside of "{...}"; null where it names no column.
absl::optional<PatternPiece> ReadSlot(absl::string_view inside, const Names& names,
                                      std::vector<PatternProblem>* problems) {
  const SlotTypes& types = names.types;
  const std::vector<std::string> parts = absl::StrSplit(inside, absl::MaxSplits(':', 2));
  if (auto media = ReadMedia(parts, names, problems); media.has_value()) return media;
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
  problems->push_back(
      {parts[0],
       absl::StrCat(
           "slot \"{", inside, "}\": unknown slot type \"", parts[1], "\"; expected ",
           types.Names(),
           names.task == nullptr ? "" : ", or {modality:name} of one of the task's inputs"),
       /*is_unknown_type=*/true});
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

Pattern Read(absl::string_view text, const Names& names, std::vector<PatternProblem>* problems) {
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
    auto slot = ReadSlot(text.substr(position + 1, end - position - 1), names, problems);
    if (slot.has_value()) pattern.push_back(*std::move(slot));
    position = end + 1;
  }
  return pattern;
}

absl::StatusOr<Pattern> Parse(absl::string_view text, const Names& names) {
  std::vector<PatternProblem> problems;
  Pattern pattern = Read(text, names, &problems);
  if (problems.empty()) return pattern;
  return absl::InvalidArgumentError(problems.front().what);
}

}  // namespace

Pattern ReadPattern(absl::string_view text, const SlotTypes& types,
                    std::vector<PatternProblem>* problems) {
  return Read(text, {types, nullptr}, problems);
}

Pattern ReadPrompt(const TaskTemplate& task, absl::string_view text, const SlotTypes& types,
                   std::vector<PatternProblem>* problems) {
  return Read(text, {types, &task}, problems);
}

absl::StatusOr<Pattern> ParsePattern(absl::string_view text, const SlotTypes& types) {
  return Parse(text, {types, nullptr});
}

absl::StatusOr<Pattern> ParsePrompt(const TaskTemplate& task, absl::string_view text,
                                    const SlotTypes& types) {
  return Parse(text, {types, &task});
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
