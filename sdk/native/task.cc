#include "sdk/native/task.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/scored_metric.h"

namespace unival {
namespace {

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// "sets/my.textproto:12: task \"vqa\": "
std::string Where(const TaskInfo& info) {
  return absl::StrCat(info.origin, info.origin.empty() ? "" : ": ", "task \"", info.name, "\": ");
}

}  // namespace

Task::~Task() = default;
Metric::~Metric() = default;
ScoredMetric::~ScoredMetric() = default;

absl::StatusOr<References> Task::ReferencesOf(const TaskSample& sample) const {
  (void)sample;
  return absl::UnimplementedError(
      absl::StrCat(Where(info()), "does not say what counts as right for a record"));
}

const std::vector<std::string>& MediaColumns(const TaskInfo& info) {
  return info.media_columns.empty() ? info.modalities : info.media_columns;
}

absl::Status CheckTaskFits(const TaskInfo& info, const std::vector<std::string>& modalities,
                           const absl::optional<std::vector<std::string>>& columns) {
  for (const std::string& modality : info.modalities) {
    if (Contains(modalities, modality)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        Where(info), "needs modality \"", modality, "\"; the model has: ",
        absl::StrJoin(modalities, ", "), "; load a model with it or add it with a plugin"));
  }
  if (!columns.has_value()) return absl::OkStatus();
  for (const std::string& column : info.columns) {
    if (Contains(*columns, column)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        Where(info), "needs column \"", column, "\"; the data has: ", absl::StrJoin(*columns, ", "),
        "; map it with `columns`, on the command line --column, if it has another name"));
  }
  return absl::OkStatus();
}

bool AllowsOnlyBlock(const Constraint& constraint, const VocabularyView& vocabulary,
                     absl::string_view block) {
  if (!constraint.answers.empty() || constraint.allowed.empty()) return false;
  const absl::StatusOr<std::vector<TokenRange>> ranges = vocabulary.BlockRanges(block);
  if (!ranges.ok()) return false;
  return std::all_of(
      constraint.allowed.begin(), constraint.allowed.end(), [&](const TokenRange& allowed) {
        return std::any_of(ranges->begin(), ranges->end(), [&](const TokenRange& range) {
          return allowed.begin >= range.begin && allowed.end <= range.end;
        });
      });
}

absl::StatusOr<Prediction> ReferenceAnswer(const Task& task, const TaskSample& sample) {
  UNIVAL_ASSIGN_OR_RETURN(const Seq2SeqExample example,
                          task.MakeExample(sample, ExampleMode::kPrediction, 0));
  if (example.target.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(Where(task.info()), "record \"", sample.key, "\" has no answer"));
  }
  return task.Interpret(sample, {{example.target.begin(), example.target.end() - 1}, 0});
}

}  // namespace unival
