// unival: pattern.h - prompts and targets with slots, " which region does the text \" {text} \"
// describe?".
//
//   UNIVAL_ASSIGN_OR_RETURN(Pattern pattern, ParsePattern(" {caption:text}"));
//
// "{{" and "}}" stand for braces; "{column:type:options}" hands options to the slot's type. In a
// prompt "{second}", and "{image:second}" with its modality, is the place of the media input
// "second".
// Functions are thread-safe.
#ifndef UNIVAL_TASKS_SLOTS_PATTERN_H_
#define UNIVAL_TASKS_SLOTS_PATTERN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tasks/slots/slot_type.h"
#include "tasks/slots/slot_types.h"

namespace unival {

// InvalidArgument names the position: an open or stray brace, an empty or malformed column, an
// unknown type.
absl::StatusOr<Pattern> ParsePattern(absl::string_view text,
                                     const SlotTypes& types = BuiltinSlotTypes());

// Does the same for a prompt of `task`, which may name the task's media inputs.
absl::StatusOr<Pattern> ParsePrompt(const TaskTemplate& task, absl::string_view text,
                                    const SlotTypes& types = BuiltinSlotTypes());

// What is wrong at one place of a pattern.
struct PatternProblem {
  std::string slot;  // the column, where it is about a slot
  std::string what;  // with the position
  bool is_unknown_type = false;
};

// The same for callers that want all problems, not just the first. A slot of an unknown type is
// read as a text slot. A malformed column, and text that cannot be parsed, are left out.
Pattern ReadPattern(absl::string_view text, const SlotTypes& types,
                    std::vector<PatternProblem>* problems);
Pattern ReadPrompt(const TaskTemplate& task, absl::string_view text, const SlotTypes& types,
                   std::vector<PatternProblem>* problems);

// Columns of the pattern's slots, in order, each once.
std::vector<std::string> PatternColumns(const Pattern& pattern);

bool HasSlot(const Pattern& pattern, const SlotType& type);

// The first thing that is not blank text, null without one.
const PatternPiece* FirstPiece(const Pattern& pattern);

// The pattern's slot where it is one slot with nothing but blanks around it, else null.
const PatternPiece* OnlySlot(const Pattern& pattern);

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_PATTERN_H_
