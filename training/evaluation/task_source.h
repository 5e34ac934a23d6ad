// unival: task_source.h - the records of a file, opened for a task and checked to fit it before
// anything runs.
#ifndef UNIVAL_TRAINING_EVALUATION_TASK_SOURCE_H_
#define UNIVAL_TRAINING_EVALUATION_TASK_SOURCE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"

namespace unival {

struct TaskSourceOptions {
  std::string path;                                     // as SourceOptions has it
  std::map<std::string, std::string> columns;           // task column -> record column
  int64_t limit = 0;                                    // only the first records; 0: all
  std::map<std::string, std::string> media_roots = {};  // as SourceOptions has them
  IndexOptions index = {};                              // as SourceOptions has it
};

// FailedPrecondition when the task needs a modality that is not among `modalities`, or a column
// that the first record lacks; else the errors of OpenSource.
absl::StatusOr<std::unique_ptr<Source>> OpenFittingSource(
    const Task& task, const std::vector<std::string>& modalities, const TaskSourceOptions& options);

// Whether every record that can be asked about says what is right, before anything is answered: an
// answer that cannot be judged would end an evaluation when it has nearly ended. InvalidArgument
// names the file, the task, how many records lack it, the first of them with the reason, and the
// remedy. A task in code that does not say what is right has nothing to be checked. Reads all
// records; an error of Source::Read is returned as it is.
absl::Status CheckReferences(const Task& task, const Source& source);

// Whether every record has the columns that the task's metrics read beside the task's own, such as
// `group` of consistency. InvalidArgument names task, metric, column, how many records lack it, the
// first of them and the remedy. Reads all records, where a metric needs any column.
absl::Status CheckMetricColumns(const Task& task, const Source& source);

// Both: whether the answers to all records can be judged.
absl::Status CheckJudgeable(const Task& task, const Source& source);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_TASK_SOURCE_H_
