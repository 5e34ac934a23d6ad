// unival: template_types.h - what templates may name: slot types in their patterns, and metrics.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_TYPES_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_TYPES_H_

#include "sdk/native/registry.h"
#include "tasks/metrics/metrics.h"
#include "tasks/slots/slot_types.h"

namespace unival {

// A value. The registry must outlive the calls that get it, not what they give.
struct TemplateTypes {
  SlotTypes slots = BuiltinSlotTypes();
  // Null: any name will do when a set is read, and none when a task is made. For sets that a model
  // directory stores: a metric whose plugin is not loaded must not keep the other tasks from being
  // used.
  const Registry* metrics = &BuiltinMetrics();
};

// Those that ship, made once.
const TemplateTypes& BuiltinTemplateTypes();

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_TYPES_H_
