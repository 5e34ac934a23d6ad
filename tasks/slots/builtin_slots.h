// unival: builtin_slots.h - the slot types that ship. A new one needs its line here, its own file
// foo_slot.cc that defines FooSlot, and that file's line in BUILD.
//
// MediaSlot is not among those that a pattern asks for by type: the name of an input calls it.
#ifndef UNIVAL_TASKS_SLOTS_BUILTIN_SLOTS_H_
#define UNIVAL_TASKS_SLOTS_BUILTIN_SLOTS_H_

#include <memory>

#include "tasks/slots/slot_type.h"

// The first is the type of "{column}".
#define UNIVAL_SLOT_TYPES(SLOT) \
  SLOT(TextSlot)                \
  SLOT(NumberSlot)              \
  SLOT(LabelSlot)               \
  SLOT(BoxSlot)                 \
  SLOT(CodesSlot)

namespace unival {

#define UNIVAL_DECLARE_SLOT(function) std::shared_ptr<const SlotType> function();
UNIVAL_SLOT_TYPES(UNIVAL_DECLARE_SLOT)
#undef UNIVAL_DECLARE_SLOT

std::shared_ptr<const SlotType> MediaSlot();

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_BUILTIN_SLOTS_H_
