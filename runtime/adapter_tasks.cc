#include "runtime/adapter_tasks.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "runtime/template_hashes.h"

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

// Where a copy puts the tasks that it brings with a modality.
std::string FileOfTasks(const std::string& modality) {
  return absl::StrCat("adapter.", modality, ".textproto");
}

std::map<std::string, std::string> TextsOf(const StoredTemplates& templates) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, stored] : templates) texts[name] = stored.text;
  return texts;
}

}  // namespace

AdapterTasks TasksOfModality(const OpenedModel& from, const OpenedModel& into,
                             const std::string& modality) {
  AdapterTasks tasks;
  // Where a modality is replaced, so are the tasks that came with the earlier one.
  const std::string file = FileOfTasks(modality);
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
  std::string text = TemplateSetText(set);
  there.emplace(file, StoredTemplateSet{std::move(text),
                                        std::make_shared<const LoadedTemplateSet>(std::move(set))});
  tasks.files = TextsOf(there);
  tasks.template_set_hash =
      RecordedAfterChange(into.manifest().template_set_hash(), into.templates(), there);
  return tasks;
}

RemainingTasks TasksWithoutModality(const OpenedModel& model, const std::string& modality) {
  RemainingTasks tasks;
  StoredTemplates rest = model.templates();
  const auto brought = rest.find(FileOfTasks(modality));
  if (brought == rest.end() || !brought->second.set.ok()) return tasks;
  for (const LoadedTemplate& task : (*brought->second.set)->tasks) {
    if (!absl::c_linear_search(TemplateModalities(task.proto), modality)) return RemainingTasks();
    tasks.removed.push_back(task.proto.name());
  }
  rest.erase(brought);
  tasks.files = TextsOf(rest);
  tasks.template_set_hash =
      RecordedAfterChange(model.manifest().template_set_hash(), model.templates(), rest);
  return tasks;
}

}  // namespace unival
