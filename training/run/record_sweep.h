// unival: record_sweep.h - checks every record of a run against its task, before anything is
// trained.
#ifndef UNIVAL_TRAINING_RUN_RECORD_SWEEP_H_
#define UNIVAL_TRAINING_RUN_RECORD_SWEEP_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/pipeline.h"
#include "tasks/templates/record_fault.h"
#include "training/config/plan.h"
#include "training/data/read/source.h"

namespace unival {

// Reads all records of `source` and makes no example of them: columns, types, labels, boxes. Media
// are not decoded. InvalidArgument lists what would end the run, all of it, with its records.
// `by_template` is the same task where it is a template, else null. `columns`: further names of the
// records' columns.
absl::Status SweepRecords(const Task& task, const TemplateTask* by_template, const Source& source,
                          const Model& model, RecordUse use,
                          const std::map<std::string, std::string>& columns = {});

// What a user should hear of before the hour is spent, a line each: tasks of the plan's sets that
// no source and no evaluation uses, with modalities that the model lacks, and labels that the model
// cannot write or tell apart.
std::vector<std::string> TaskWarnings(const LoadedPlan& plan,
                                      const std::vector<SharedTemplateSet>& sets,
                                      const Model& model);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RECORD_SWEEP_H_
