// Checks the tasks of a set against each other: a further example must name a task of the set and
// fill that task's columns.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/record_fault.h"
#include "tasks/templates/template_check.h"
#include "tasks/templates/template_columns.h"

namespace unival {
namespace {

std::vector<std::string> ColumnsThatTaskReads(const LoadedTemplate& task, const SlotTypes& types) {
  std::vector<std::string> columns;
  for (const TaskInput& input : task.proto.input()) columns.push_back(input.name());
  const TemplateReading reading = ReadTemplate(task, types);
  for (const Pattern* pattern : {&reading.prompts[0], &reading.target}) {
    for (std::string& column : PatternColumns(*pattern)) columns.push_back(std::move(column));
  }
  for (std::string& column : TrainingColumns(task.proto)) columns.push_back(std::move(column));
  return columns;
}

// What makes two further examples the same.
using FurtherKey = std::pair<std::string, std::map<std::string, std::string>>;

FurtherKey KeyOf(const FurtherExample& further) {
  FurtherKey key;
  key.first = further.task();
  for (const auto& [column, from] : further.columns()) key.second.emplace(column, from);
  return key;
}

}  // namespace

void CheckFurtherExamples(const LoadedTemplateSet& set, const TemplateTypes& types,
                          std::vector<TemplateFault>* faults) {
  for (const LoadedTemplate& task : set.tasks) {
    std::set<FurtherKey> seen;
    for (int i = 0; i < task.proto.also_size(); ++i) {
      const FurtherExample& further = task.proto.also(i);
      const auto add = [&](const std::string& slot, const absl::Status& what) {
        faults->push_back(FaultAt(task, absl::StrCat("also:", i), slot, what));
      };
      const LoadedTemplate* other = set.Find(further.task());
      if (other == nullptr || other == &task) {
        add("", InvalidArgument("task: expected another task of this set, got \"", further.task(),
                                "\""));
        continue;
      }
      if (!seen.insert(KeyOf(further)).second && !task.is_stored) {
        add("", InvalidArgument("task: \"", further.task(),
                                "\" stands above with the same columns; take one of them out"));
      }
      const std::vector<std::string> columns = ColumnsThatTaskReads(*other, types.slots);
      for (const auto& [column, from] : further.columns()) {
        if (std::find(columns.begin(), columns.end(), column) != columns.end()) continue;
        add(from, InvalidArgument("columns: task \"", further.task(), "\" has no column \"", column,
                                  "\"; it reads: ", absl::StrJoin(columns, ", ")));
      }
    }
  }
}

}  // namespace unival
