// unival: adapter_tasks.h - the tasks that go with a modality when it is taken over into another
// model directory (backbone/storage/adapter_copy.h), and out of it again (adapter_edit.h).
#ifndef UNIVAL_RUNTIME_ADAPTER_TASKS_H_
#define UNIVAL_RUNTIME_ADAPTER_TASKS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/opened_model.h"

namespace unival {

struct AdapterTasks {
  // All files of the template folder of `into` after the copy: those that it has, and one more with
  // the tasks in `brought`. Empty where no task is brought.
  std::map<std::string, std::string> files;
  std::vector<std::string> brought;     // names of the tasks that are copied
  std::vector<std::string> kept;        // names of tasks that `into` has, which stay as they are
  std::vector<std::string> unreadable;  // "FILE: why" for sets of `from` that need a plugin
  std::string template_set_hash;        // what the manifest is to say of `files`
};

// The tasks of `from` that take `modality`. One whose name `into` has already is left as it is
// there.
AdapterTasks TasksOfModality(const OpenedModel& from, const OpenedModel& into,
                             const std::string& modality);

struct RemainingTasks {
  std::vector<std::string> removed;  // names of the tasks that go; empty: all of them stay
  // As in AdapterTasks, where some go.
  std::map<std::string, std::string> files;
  std::string template_set_hash;
};

// What stays of the tasks of `model` when `modality` is taken out: all but the set that a copy
// brought with it. That one stays too where one of its tasks does without the modality, as somebody
// has written it there.
RemainingTasks TasksWithoutModality(const OpenedModel& model, const std::string& modality);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_ADAPTER_TASKS_H_
