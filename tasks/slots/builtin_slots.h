// unival: builtin_slots.h - the slot types that ship, each made by its own file.
//
//   {c} {c:text}  a text, a number or a list of texts: training draws one of a list, prediction
//                 takes the first
//   {c:number}    a number, printed in its shortest form
//   {c:label}     a text of the template's closed label set
//   {c:box}       [x0, y0, x1, y1] in pixels of columns `width` x `height`, or fractions when these
//                 are absent; four tokens of core.location_bin
//   {c:codes}     a list of local indices of the template's codes_block
//
// MediaSlot is not among those that a pattern asks for by type: the name of an input calls it.
#ifndef UNIVAL_TASKS_SLOTS_BUILTIN_SLOTS_H_
#define UNIVAL_TASKS_SLOTS_BUILTIN_SLOTS_H_

#include <memory>

#include "tasks/slots/slot_type.h"

namespace unival {

std::shared_ptr<const SlotType> TextSlot();
std::shared_ptr<const SlotType> NumberSlot();
std::shared_ptr<const SlotType> LabelSlot();
std::shared_ptr<const SlotType> BoxSlot();
std::shared_ptr<const SlotType> CodesSlot();
std::shared_ptr<const SlotType> MediaSlot();

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_BUILTIN_SLOTS_H_
