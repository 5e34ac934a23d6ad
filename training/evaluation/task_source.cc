#include "training/evaluation/task_source.h"

#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/evaluate.h"

namespace unival {

absl::StatusOr<std::unique_ptr<Source>> OpenFittingSource(
    const Task& task, const std::vector<std::string>& modalities,
    const TaskSourceOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(auto source,
                          OpenTaskSource(task, options.path, options.columns, options.limit));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, SourceColumns(*source));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckTaskFits(task.info(), modalities, columns), options.path));
  return source;
}

}  // namespace unival
