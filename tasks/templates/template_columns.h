// unival: template_columns.h - the columns that a template reads beside the slots of its patterns,
// and what they hold.
//
// Thread-safe.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_COLUMNS_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_COLUMNS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// Columns that only training reads: of `loss_weight`, of `negatives` without its answer, and those
// that further examples take. Each once. TaskInfo::columns does not have them, so that records
// without them can be evaluated; FaultsOfRecord misses them.
std::vector<std::string> TrainingColumns(const TaskTemplate& task);

// The answers that `negatives` writes for a right and for a wrong text; by default "yes" and "no".
std::string YesOf(const Negatives& negatives);
std::string NoOf(const Negatives& negatives);

// A number above 0. NotFound and InvalidArgument name record and column.
absl::StatusOr<double> WeightOfColumn(const TaskSample& sample, const std::string& column);
// How sure the record is of its text, in [0, 1]; 1 where `negatives` names no column.
absl::StatusOr<double> ConfidenceOf(const Negatives& negatives, const TaskSample& sample);
// The object words of a record: a list of texts, or one text with "&&" between them.
absl::StatusOr<std::vector<std::string>> WordsOfRecord(const Negatives& negatives,
                                                       const TaskSample& sample);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_COLUMNS_H_
