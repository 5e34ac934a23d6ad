// unival: template_fault.h
//
// All faults of a template set. A check of a set wants every fault at once; loading a set
// (template_set.h) stops at the first.
//
//   LoadedTemplateSet set;
//   std::vector<TemplateFault> faults;
//   UNIVAL_RETURN_IF_ERROR(ReadTemplateSet("mine.textproto", types, &set, &faults));
//
// Plain data; functions are thread-safe.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_FAULT_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_FAULT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tasks/templates/template_set.h"
#include "tasks/templates/template_types.h"

namespace unival {

// What kind of fault it is where the field alone does not say it.
enum class FaultKind { kOfField, kNoTasks, kUnknownField, kUnknownSlotType, kOutOfRange };

struct TemplateFault {
  std::string file;
  int line = 0;         // from 1; 0: unknown
  std::string task;     // empty: of the set as a whole
  std::string field;    // of TaskTemplate, repeated fields as "paraphrase:1"; may be empty
  std::string slot;     // the column of the slot that it is about; may be empty
  std::string what;     // expected, actual and remedy
  absl::Status status;  // "file:line: task: field: what"
  FaultKind kind = FaultKind::kOfField;
};

// A fault of `task` at `field`.
TemplateFault FaultAt(const LoadedTemplate& task, absl::string_view field, absl::string_view slot,
                      const absl::Status& what, FaultKind kind = FaultKind::kOfField);

// Reads a set as LoadTemplateSet does, but goes on after a fault. A task with faults is in `set`,
// too, as far as it could be read. Errors only for what ends the reading: a missing file, or text
// that is no text format.
absl::Status ReadTemplateSet(const std::string& path, const TemplateTypes& types,
                             LoadedTemplateSet* set, std::vector<TemplateFault>* faults);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_FAULT_H_
