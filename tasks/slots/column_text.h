// unival: column_text.h - a column as the text of a slot, for slot types that are text.
#ifndef UNIVAL_TASKS_SLOTS_COLUMN_TEXT_H_
#define UNIVAL_TASKS_SLOTS_COLUMN_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "tasks/slots/slot_type.h"

namespace unival {

// The column as text: a text as it is, a number in its shortest form, one text of a list (drawn in
// training); then cleaned as the template says.
absl::StatusOr<std::string> ColumnText(const SlotPlace& place, const TaskSample& sample,
                                       const RenderOptions& options, SeededRandom& random);

// `text` cleaned by the template's rules for the slot's column; a reference is not cut.
std::string CleanedColumn(const SlotPlace& place, std::string text, bool reference);

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_COLUMN_TEXT_H_
