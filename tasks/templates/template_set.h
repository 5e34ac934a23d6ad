// unival: template_set.h
//
// Task template sets: files in protobuf text format (sdk/proto/task.proto) that say how records
// become prompts and targets. A loaded set keeps the file and line of every task for messages, and
// has the label files' contents inlined, so that it is complete by itself.
//
//   UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set,
//                           LoadTemplateSet("tasks/templates/unival.textproto"));
//   UNIVAL_ASSIGN_OR_RETURN(auto task, TemplateTask::Create(set.tasks[0], vocabulary));
//
// Plain data; functions are thread-safe.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_SET_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_SET_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/proto/task.pb.h"
#include "tasks/templates/template_types.h"

namespace unival {

struct LoadedTemplate {
  TaskTemplate proto;
  std::string file;                  // as messages call it
  int line = 0;                      // of the task, from 1; 0: unknown
  std::map<std::string, int> lines;  // field name -> line; repeated fields as "paraphrase:1"
  // Whether a model stores it. Then only what cannot be run is a fault: a rule that came later must
  // not make a model unreadable.
  bool is_stored = false;

  // "unival.textproto:12: task \"vqa\": target: "; `field` may be empty.
  std::string Where(absl::string_view field) const;
};

struct LoadedTemplateSet {
  std::string name;
  std::string file;
  std::vector<LoadedTemplate> tasks;

  // Null when there is no such task.
  const LoadedTemplate* Find(absl::string_view task) const;
};

// Bounds of what a set may hold, so that a foreign one costs bounded time and memory: labels of one
// task, and bytes of a prompt, a paraphrase, a target, a name or a label.
constexpr int kMaxLabels = 1000000;
constexpr size_t kMaxTemplateText = 65536;

// A set is parsed once and then handed on.
using SharedTemplateSet = std::shared_ptr<const LoadedTemplateSet>;

// Reads and checks a set: syntax, names, patterns, label sets and files. InvalidArgument
// "file:line: task: field: what", NotFound for a missing set or label file.
absl::StatusOr<LoadedTemplateSet> LoadTemplateSet(
    const std::string& path, const TemplateTypes& types = BuiltinTemplateTypes());

// Every file's set, in order; the first error.
absl::StatusOr<std::vector<SharedTemplateSet>> LoadTemplateSets(
    const std::vector<std::string>& paths, const TemplateTypes& types = BuiltinTemplateTypes());

// The same for text in memory. Label files lie in or below `directory`; where that is empty, a set
// that names one is InvalidArgument: sets that are stored with a model are complete by themselves.
absl::StatusOr<LoadedTemplateSet> ParseTemplateSet(
    absl::string_view text, const std::string& file, const std::string& directory,
    const TemplateTypes& types = BuiltinTemplateTypes());

// The set as text format with labels inlined: what a model directory stores.
std::string TemplateSetText(const LoadedTemplateSet& set);

// Modalities that the task's inputs name, each once, in order.
std::vector<std::string> TemplateModalities(const TaskTemplate& task);

// Hash of what the set means (its text without summaries), "xxh128:<32 hex digits>".
std::string TemplateSetHash(const LoadedTemplateSet& set);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_SET_H_
