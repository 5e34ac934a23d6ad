#include "training/evaluation/task_source.h"

#include <utility>

#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/evaluate.h"

namespace unival {

absl::StatusOr<std::unique_ptr<Source>> OpenFittingSource(
    const Task& task, const std::vector<std::string>& modalities,
    const TaskSourceOptions& options) {
  SourceOptions opening;
  opening.path = options.path;
  opening.columns = options.columns;
  opening.limit = options.limit;
  opening.media_roots = options.media_roots;
  opening.missing_media = true;
  UNIVAL_ASSIGN_OR_RETURN(auto source, OpenTaskSource(task, std::move(opening)));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, SourceColumns(*source));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckTaskFits(task.info(), modalities, columns), options.path));
  return source;
}

}  // namespace unival
