// unival: record.h - JSON objects as fields of a TaskSample.
#ifndef UNIVAL_TRAINING_DATA_READ_RECORD_H_
#define UNIVAL_TRAINING_DATA_READ_RECORD_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/native/task.h"

namespace unival {

// Most columns that a record may have; each costs some hundred bytes.
constexpr size_t kMaxColumns = 10000;

// The fields of one JSON object. Media columns are not resolved: they come out as strings.
// InvalidArgument says what is wrong: not JSON (with the byte), not an object, more than
// kMaxColumns keys, a key given twice, a nested object, a mixed list; of kinds of record_kinds.h.
// The last two are left out instead where their column is not in `needed`; null: every column is
// needed.
absl::StatusOr<std::map<std::string, FieldValue>> ParseRecord(
    absl::string_view json, const std::set<std::string>* needed = nullptr);

// Renames fields from record columns to task columns, as `columns` (task column -> record column)
// says; other fields keep their names. A column that only a metric reads (metric_columns.h) is
// copied instead, because a task may read it under the record's name. NotFound names a mapped
// column that the record lacks, and lists what it has.
absl::StatusOr<std::map<std::string, FieldValue>> RenameColumns(
    std::map<std::string, FieldValue> fields, const std::map<std::string, std::string>& columns);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_RECORD_H_
