// unival: template_check.h - what can be checked of a template without a model or data.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_

#include <vector>

#include "tasks/templates/template_fault.h"
#include "tasks/templates/template_set.h"
#include "tasks/templates/template_types.h"

namespace unival {

// Names, patterns and how they fit together: every fault, in the order of the checks. Where a text
// is longer than any may be, that alone. Thread-safe.
std::vector<TemplateFault> CheckTemplate(const LoadedTemplate& task, const TemplateTypes& types);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_
