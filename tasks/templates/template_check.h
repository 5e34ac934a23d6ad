// unival: template_check.h - what can be checked of a template without a model or data.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "sdk/base/status.h"
#include "tasks/slots/slot_type.h"
#include "tasks/templates/template_fault.h"
#include "tasks/templates/template_set.h"
#include "tasks/templates/template_types.h"

namespace unival {

// Gathers the faults of one template, which must outlive it: the checks of a template derive from
// it.
class FaultGatherer {
 protected:
  explicit FaultGatherer(const LoadedTemplate& task) : task_(task) {}

  // `parts` make the message: expected, actual and remedy.
  template <typename... Parts>
  void Add(absl::string_view field, const Parts&... parts) {
    AddSlot(field, "", parts...);
  }
  template <typename... Parts>
  void AddSlot(absl::string_view field, absl::string_view slot, const Parts&... parts) {
    faults_.push_back(FaultAt(task_, field, slot, InvalidArgument(parts...)));
  }

  const LoadedTemplate& task_;
  std::vector<TemplateFault> faults_;
};

// The same for checks that look at the template's patterns, which must outlive it as well.
// `is_whole`: all patterns could be read.
class PatternFaultGatherer : protected FaultGatherer {
 public:
  PatternFaultGatherer(const LoadedTemplate& task, const Pattern& prompt, const Pattern& target,
                       bool is_whole)
      : FaultGatherer(task),
        proto_(task.proto),
        prompt_(prompt),
        target_(target),
        is_whole_(is_whole) {}

 protected:
  const TaskTemplate& proto_;
  const Pattern &prompt_, &target_;
  const bool is_whole_;
};

// Names, patterns and how they fit together: every fault, in the order of the checks. Where a text
// is longer than any may be, that alone. Thread-safe.
std::vector<TemplateFault> CheckTemplate(const LoadedTemplate& task, const TemplateTypes& types);

// Whether a slot of the target has a closed set of answers.
bool HasClosedSet(const TaskTemplate& task, const Pattern& target);

// The part of CheckTemplate that concerns training alone. `is_whole`: all patterns could be read.
std::vector<TemplateFault> CheckTrainingFields(const LoadedTemplate& task, const Pattern& prompt,
                                               const Pattern& target, bool is_whole);

// The part that a stored set is spared: what is written twice, and what nothing in the task reads.
std::vector<TemplateFault> CheckIdleSettings(const LoadedTemplate& task, const Pattern& prompt,
                                             const Pattern& target, bool is_whole);

// Checks that further examples name tasks of the same set and fill their columns. Appends every
// fault.
void CheckFurtherExamples(const LoadedTemplateSet& set, const TemplateTypes& types,
                          std::vector<TemplateFault>* faults);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_CHECK_H_
