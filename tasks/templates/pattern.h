// unival: pattern.h - prompts and targets with slots: " what does {object} do?".
//
//   UNIVAL_ASSIGN_OR_RETURN(Pattern pattern, ParsePattern(" {caption:text}"));
//
// "{{" and "}}" stand for braces. Functions are thread-safe.
#ifndef UNIVAL_TASKS_TEMPLATES_PATTERN_H_
#define UNIVAL_TASKS_TEMPLATES_PATTERN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

enum class SlotType { kLiteral, kText, kNumber, kLabel, kBox, kCodes };

struct PatternPiece {
  SlotType type = SlotType::kLiteral;
  std::string text;  // the literal, or the slot's column
};

using Pattern = std::vector<PatternPiece>;

// InvalidArgument names the position: an open or stray brace, an empty or malformed column, an
// unknown type.
absl::StatusOr<Pattern> ParsePattern(absl::string_view text);

// "text", "box", ...
absl::string_view SlotTypeName(SlotType type);

// Columns of the pattern's slots, in order, each once.
std::vector<std::string> PatternColumns(const Pattern& pattern);

bool HasSlot(const Pattern& pattern, SlotType type);

// True when the pattern is one slot of `type` with nothing but spaces around it.
bool IsOnly(const Pattern& pattern, SlotType type);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_PATTERN_H_
