#include "runtime/adapter_tasks.h"

#include <set>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

std::set<std::string> TaskNames(const StoredTemplates& templates) {
  std::set<std::string> names;
  for (const auto& [file, stored] : templates) {
    if (!stored.set.ok()) continue;
    for (const LoadedTemplate& task : (*stored.set)->tasks) names.insert(task.proto.name());
  }
  return names;
}

}  // namespace

AdapterTasks TasksOfModality(const OpenedModel& from, const OpenedModel& into,
                             const std::string& modality) {
  AdapterTasks tasks;
  // Where a modality is replaced, so are the tasks that came with the earlier one.
  const std::string file = absl::StrCat("adapter.", modality, ".textproto");
  StoredTemplates there = into.templates();
  there.erase(file);
  const std::set<std::string> names = TaskNames(there);
  LoadedTemplateSet set;
  set.name = modality;
  for (const auto& [name, stored] : from.templates()) {
    if (!stored.set.ok()) {
      tasks.unreadable.push_back(absl::StrCat(name, ": ", stored.set.status().message()));
      continue;
    }
    for (const LoadedTemplate& task : (*stored.set)->tasks) {
      if (!absl::c_linear_search(TemplateModalities(task.proto), modality)) continue;
      if (names.count(task.proto.name()) > 0) {
        tasks.kept.push_back(task.proto.name());
      } else if (set.Find(task.proto.name()) == nullptr) {
        tasks.brought.push_back(task.proto.name());
        set.tasks.push_back(task);
      }
    }
  }
  if (set.tasks.empty()) return tasks;
  for (const auto& [name, stored] : there) tasks.files[name] = stored.text;
  tasks.files[file] = TemplateSetText(set);
  return tasks;
}

}  // namespace unival
