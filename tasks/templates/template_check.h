// unival: template_check.h - what can be checked of a template without a model or data.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_

#include "absl/status/status.h"
#include "tasks/templates/template_set.h"
#include "tasks/templates/template_types.h"

namespace unival {

// Names, patterns and how they fit together. InvalidArgument "file:line: task: field: what".
// Thread-safe.
absl::Status CheckTemplate(const LoadedTemplate& task, const TemplateTypes& types);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_
