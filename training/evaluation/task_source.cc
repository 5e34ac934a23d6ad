#include "training/evaluation/task_source.h"

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"
#include "training/evaluation/evaluate.h"

namespace unival {
namespace {

// Records without a column that a metric needs.
struct Lacking {
  MetricColumn column;
  int64_t count = 0;
  TaskSample first;
};

std::vector<Lacking> RecordsWithout(std::vector<MetricColumn> columns, const Source& source) {
  std::vector<Lacking> lacking;
  for (MetricColumn& column : columns) lacking.push_back({std::move(column), 0, {}});
  for (int64_t i = 0; i < source.size(); ++i) {
    const absl::StatusOr<TaskSample> sample = source.Read(i);
    if (!sample.ok()) continue;  // an error of its own
    for (Lacking& one : lacking) {
      if (HoldsColumn(*sample, one.column)) continue;
      if (one.count++ == 0) one.first = *sample;
    }
  }
  return lacking;
}

std::string NamesOf(const TaskSample& sample) {
  return absl::StrJoin(sample.fields, ", ",
                       [](std::string* out, const auto& field) { out->append(field.first); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> OpenFittingSource(
    const Task& task, const std::vector<std::string>& modalities,
    const TaskSourceOptions& options) {
  SourceOptions opening;
  opening.path = options.path;
  opening.columns = options.columns;
  opening.limit = options.limit;
  opening.media_roots = options.media_roots;
  opening.missing_media = true;
  opening.index = options.index;
  UNIVAL_ASSIGN_OR_RETURN(auto source, OpenTaskSource(task, std::move(opening)));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns,
                          SourceColumns(*source, task.info().columns));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckTaskFits(task.info(), modalities, columns), options.path));
  return source;
}

absl::Status CheckReferences(const Task& task, const Source& source) {
  int64_t lacking = 0;
  std::string first;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.ReadFields(i));
    const absl::StatusOr<References> right = task.ReferencesOf(sample);
    if (absl::IsUnimplemented(right.status())) return absl::OkStatus();
    if (right.ok()) continue;
    // One that cannot be asked about either is counted as having no answer; nothing judges it.
    if (!task.MakeExample(sample, ExampleMode::kPrediction, 0).ok()) continue;
    if (lacking++ > 0) continue;
    first = std::string(right.status().message());
    if (!absl::StrContains(first, sample.key)) first = absl::StrCat(sample.key, ": ", first);
  }
  if (lacking == 0) return absl::OkStatus();
  return InvalidArgument(
      source.path(), ": task \"", task.info().name, "\": expected of every record what is right, ",
      lacking, " of ", source.size(), " do not say it, the first: ", first,
      "; correct the records, or name another column: --column COLUMN=COLUMN_OF_THE_FILE");
}

absl::Status CheckMetricColumns(const Task& task, const Source& source) {
  const std::unique_ptr<Metric> metric = task.NewMetric();
  const ScoredMetric* scored = AsScored(metric.get());
  std::vector<MetricColumn> columns;
  if (scored != nullptr) columns = scored->Columns();
  if (columns.empty()) return absl::OkStatus();
  for (const Lacking& lacking : RecordsWithout(std::move(columns), source)) {
    if (lacking.count == 0) continue;
    const MetricColumn& column = lacking.column;
    return InvalidArgument(
        source.path(), ": task \"", task.info().name, "\": its metric ", column.metric,
        " needs column \"", column.name, "\" with ", HeldBy(column), ", which ", lacking.count,
        " of ", source.size(), " records lack, the first: ", lacking.first.key,
        " (it has: ", NamesOf(lacking.first), "); add the column, or name another one: --column ",
        column.name, "=COLUMN, in a plan columns { key: \"", column.name, "\" value: \"COLUMN\" }");
  }
  return absl::OkStatus();
}

absl::Status CheckJudgeable(const Task& task, const Source& source) {
  UNIVAL_RETURN_IF_ERROR(CheckReferences(task, source));
  return CheckMetricColumns(task, source);
}

}  // namespace unival
