// unival: template_types.h - what templates may name: slot types in their patterns, and metrics.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_TYPES_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_TYPES_H_

#include "sdk/native/registry.h"
#include "tasks/metrics/metrics.h"
#include "tasks/slots/slot_types.h"

namespace unival {

// A value. The registry must outlive the calls that receive it; what these calls return does not
// need it.
struct TemplateTypes {
  SlotTypes slots = BuiltinSlotTypes();
  // Where metrics are looked up. Null: any name of a metric is accepted when a set is read, and no
  // metric is found when a task is made. That is for sets that a model directory stores: if the
  // plugin of one task's metric is not loaded, the other tasks must still be usable.
  const Registry* metrics = &BuiltinMetrics();
};

// The types that ship with the program. They are made once.
const TemplateTypes& BuiltinTemplateTypes();

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_TYPES_H_
