#include "app/task_columns.h"

#include "absl/strings/str_join.h"
#include "sdk/base/status.h"

namespace unival {

TaskColumns::TaskColumns(const Task& task, const TemplateTask* by_template) : info_(task.info()) {
  for (const std::string& column : MediaColumns(info_)) modalities_[column] = column;
  if (by_template == nullptr) return;
  for (const TaskInput& input : by_template->proto().input()) {
    modalities_[input.name()] = input.modality();
  }
}

absl::StatusOr<std::string> TaskColumns::Of(const std::string& option) const {
  const std::string word = option.substr(2);
  const bool is_text = option == kTextOption;
  std::vector<std::string> fits;
  for (const std::string& column : is_text ? Texts() : MediaColumns(info_)) {
    if (column == word) return column;
    if (is_text || modality(column) == word) fits.push_back(column);
  }
  return Only(fits, option);
}

absl::StatusOr<std::string> TaskColumns::OfFiles(const std::string& file) const {
  return Only(MediaColumns(info_), file);
}

std::vector<std::string> TaskColumns::Texts() const {
  std::vector<std::string> texts;
  for (const std::string& column : info_.prediction_columns) {
    if (!IsMedia(column)) texts.push_back(column);
  }
  return texts;
}

absl::StatusOr<std::string> TaskColumns::Only(const std::vector<std::string>& columns,
                                              const std::string& what) const {
  if (columns.size() == 1) return columns.front();
  return InvalidArgument(what, ": task \"", info_.name,
                         "\": expected one column that this may fill, got ",
                         columns.empty() ? "none" : absl::StrJoin(columns, ", "),
                         "; the task reads: ", absl::StrJoin(info_.prediction_columns, ", "),
                         "; say which with --input column=value");
}

}  // namespace unival
