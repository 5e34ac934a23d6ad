// unival: slot_types.h - the slot types that patterns may use, by name.
#ifndef UNIVAL_TASKS_SLOTS_SLOT_TYPES_H_
#define UNIVAL_TASKS_SLOTS_SLOT_TYPES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tasks/slots/slot_type.h"

namespace unival {

// A value. To use further types, copy BuiltinSlotTypes() and add them.
class SlotTypes {
 public:
  // AlreadyExists for a name that is taken, InvalidArgument for one that is no id
  // ([a-z][a-z0-9_]{1,47}).
  absl::Status Add(std::shared_ptr<const SlotType> type);

  // Returns null when no slot type has this name.
  std::shared_ptr<const SlotType> Find(absl::string_view name) const;

  // In the order of addition; the first is the type of "{column}".
  const std::vector<std::shared_ptr<const SlotType>>& all() const { return types_; }

  // The names as text for messages: "text, number or box".
  std::string Names() const;

 private:
  std::vector<std::shared_ptr<const SlotType>> types_;
};

// text, number, label, box, codes.
const SlotTypes& BuiltinSlotTypes();

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_SLOT_TYPES_H_
