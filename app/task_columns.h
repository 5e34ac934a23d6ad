// unival: task_columns.h - which column of a task the short options of a command line mean.
#ifndef UNIVAL_APP_TASK_COLUMNS_H_
#define UNIVAL_APP_TASK_COLUMNS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "tasks/templates/template_task.h"

namespace unival {

constexpr char kTextOption[] = "--text";

// Finds columns of a task. Valid as long as the task.
class TaskColumns {
 public:
  // `by_template`: the same task where it is a template, else null.
  TaskColumns(const Task& task, const TemplateTask* by_template);

  bool IsMedia(const std::string& column) const { return modalities_.count(column) > 0; }
  // The modality of a media column; the column must be one.
  const std::string& modality(const std::string& column) const { return modalities_.at(column); }

  // The column that "--image", "--video" or "--audio" fills: the one of that name, else the only
  // one of that modality. "--text": the column "text", else the only one that is no medium.
  // InvalidArgument where there is none or there are several.
  absl::StatusOr<std::string> Of(const std::string& option) const;
  // The only media column, which files without an option fill; `file` is named in the error.
  absl::StatusOr<std::string> OfFiles(const std::string& file) const;

 private:
  std::vector<std::string> Texts() const;
  absl::StatusOr<std::string> Only(const std::vector<std::string>& columns,
                                   const std::string& what) const;

  const TaskInfo& info_;
  std::map<std::string, std::string> modalities_;  // of media columns
};

}  // namespace unival

#endif  // UNIVAL_APP_TASK_COLUMNS_H_
