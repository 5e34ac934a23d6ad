// unival: metric_columns.h - columns of a record that metrics read beside a task's own.
//
//   for (const MetricColumn& column : scored.Columns()) {
//     if (!HoldsColumn(sample, column)) ...
//   }
//
// Records may call these columns by other names (`--column group=sentence`). A column that a task
// reads under the record's own name stays there as well. Functions are thread-safe.
#ifndef UNIVAL_TASKS_METRICS_METRIC_COLUMNS_H_
#define UNIVAL_TASKS_METRICS_METRIC_COLUMNS_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "sdk/native/scored_metric.h"
#include "sdk/native/task.h"

namespace unival {

inline constexpr char kGroupColumn[] = "group";  // records that must all be right: `consistency`
inline constexpr char kKindColumn[] = "kind";    // means are also given for each of its values
inline constexpr char kObjectsColumn[] = "objects";  // what a picture shows: `chair`

inline bool IsMetricColumn(absl::string_view name) {
  return name == kGroupColumn || name == kKindColumn || name == kObjectsColumn;
}

// "a list of texts", for messages.
inline const char* HeldBy(const MetricColumn& column) {
  return column.is_list ? "a list of texts" : "a text or a number";
}

// Whether `sample` has the column with a value that the metric can read.
inline bool HoldsColumn(const TaskSample& sample, const MetricColumn& column) {
  const auto found = sample.fields.find(column.name);
  if (found == sample.fields.end()) return false;
  const FieldValue& value = found->second;
  if (column.is_list) return std::holds_alternative<std::vector<std::string>>(value);
  return std::holds_alternative<std::string>(value) || std::holds_alternative<double>(value);
}

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_METRIC_COLUMNS_H_
