#include "training/evaluation/task_source.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/template_task.h"
#include "training/evaluation/evaluate.h"

namespace unival {

absl::StatusOr<std::unique_ptr<Source>> OpenFittingSource(
    const Task& task, const std::vector<std::string>& modalities,
    const TaskSourceOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(auto source,
                          OpenTaskSource(task, options.path, options.columns, options.limit));
  const auto* from_template = dynamic_cast<const TemplateTask*>(&task);
  if (from_template == nullptr) return source;
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, SourceColumns(*source));
  const absl::Status fits = from_template->CheckAgainst(modalities, columns);
  if (fits.ok()) return source;
  return absl::Status(fits.code(), absl::StrCat(options.path, ": ", fits.message()));
}

}  // namespace unival
