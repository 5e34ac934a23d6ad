// unival: fields.h - columns of a record, with errors that name record, column, expected and
// actual.
#ifndef UNIVAL_TASKS_SLOTS_FIELDS_H_
#define UNIVAL_TASKS_SLOTS_FIELDS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/status.h"
#include "sdk/native/task.h"
#include "tasks/metrics/boxes.h"

namespace unival {

// `result`, a status or a StatusOr, with "record \"R\": column \"C\": " before an error's message.
template <typename Result>
Result AtColumn(Result result, const TaskSample& sample, absl::string_view column) {
  return Annotate(std::move(result), "record \"", sample.key, "\": column \"", column, "\"");
}

// NotFound lists the columns that the record has. The pointer lives as long as `sample`.
absl::StatusOr<const FieldValue*> RequireField(const TaskSample& sample, const std::string& column);

// record "r": column "c": expected a number, got a text.
absl::Status WrongKind(const TaskSample& sample, const std::string& column,
                       absl::string_view expected, const FieldValue& value);

// The shortest form that is this number and no other: "3", "2.5", "1234567.25".
std::string NumberText(double value);

// The box in `column` as fractions of the picture. It is in pixels of columns `width` x `height`
// where these exist, else in fractions already. Errors name record and column.
absl::StatusOr<NormalizedBox> BoxOfColumn(const TaskSample& sample, const std::string& column);

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_FIELDS_H_
