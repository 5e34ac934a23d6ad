// unival: value_fault.h - what can be wrong with a record's value, in words that programs read, so
// that they must stay.
#ifndef UNIVAL_TASKS_SLOTS_VALUE_FAULT_H_
#define UNIVAL_TASKS_SLOTS_VALUE_FAULT_H_

#include <string>

#include "sdk/native/task.h"

namespace unival {

inline constexpr char kMissingColumn[] = "missing_column";  // the record has no such column
inline constexpr char kWrongType[] = "wrong_type";          // a text where numbers are needed, ...
inline constexpr char kEmptyText[] = "empty_text";          // nothing, or nothing but blanks
inline constexpr char kUnknownLabel[] = "unknown_label";    // not in the closed set
inline constexpr char kBoxOrder[] = "box_order";            // x1 < x0 or y1 < y0
inline constexpr char kBoxEmpty[] = "box_empty";            // no area
inline constexpr char kBoxOutside[] = "box_outside";        // beyond the picture
inline constexpr char kBadValue[] = "bad_value";            // whatever else a slot refuses

struct ValueFault {
  std::string kind;  // one of the above
  std::string what;
};

// Whether a column that is to hold `kind` may hold `value`.
bool IsOfKind(const FieldValue& value, ValueKind kind);

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_VALUE_FAULT_H_
