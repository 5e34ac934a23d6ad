#include "training/evaluation/evaluate.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "runtime/record_check.h"
#include "sdk/base/beginning.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"
#include "training/data/files/output_file.h"
#include "training/data/read/output_check.h"
#include "training/evaluation/result_lines.h"

namespace unival {
namespace {

using Clock = std::chrono::steady_clock;

absl::StatusOr<std::vector<TaskSample>> ReadSamples(const Source& source, int64_t begin,
                                                    int64_t end) {
  std::vector<TaskSample> samples;
  for (int64_t i = begin; i < end; ++i) {
    UNIVAL_ASSIGN_OR_RETURN(samples.emplace_back(), source.Read(i));
  }
  return samples;
}

// Whether a record had no answer, for the reason `why`, because it or its media could not be read.
// An answer that the model worded wrongly is a wrong answer, not bad data.
bool IsUnreadable(const absl::Status& why) { return IsMediaError(why) || IsRecordError(why); }

// Adds the answer to `metric`, and a failure to `result`. An error where a number would say nothing
// about model or data, as when a modality does not work.
absl::Status AddAnswer(const TaskSample& sample, const absl::StatusOr<Prediction>& answer,
                       Metric& metric, EvaluationResult* result) {
  if (answer.ok()) return metric.Add(sample, *answer);
  if (IsModalityFailure(answer.status())) return answer.status();
  metric.AddFailure(sample);
  result->failures.push_back(AtRecord(sample.key, answer.status()));
  if (!IsUnreadable(answer.status())) return absl::OkStatus();
  if (result->unreadable++ == 0) result->first_unreadable = result->failures.back();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EvaluationResult> Evaluate(Pipeline& pipeline, const std::string& task_name,
                                          const Source& source, const EvaluationOptions& options) {
  const auto start = Clock::now();
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(task_name));
  pipeline.model().SetTraining(false);
  std::unique_ptr<Metric> metric = task->NewMetric();
  const bool keep = !options.results_file.empty();
  if (keep) UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({options.results_file}, source));
  ResultLines lines(*task);
  EvaluationResult result;
  result.scores = TaskScores(*task, pipeline.model().runtime().registry());
  result.name = result.task = task_name;
  result.samples = source.size();
  result.max_unreadable = options.max_unreadable;
  const int64_t batch = std::max(1, options.batch);
  for (int64_t begin = 0; begin < source.size(); begin += batch) {
    const int64_t end = std::min(source.size(), begin + batch);
    UNIVAL_ASSIGN_OR_RETURN(auto samples, ReadSamples(source, begin, end));
    UNIVAL_ASSIGN_OR_RETURN(auto answers,
                            pipeline.PredictBatch(task_name, samples, options.generation));
    for (size_t i = 0; i < samples.size(); ++i) {
      UNIVAL_RETURN_IF_ERROR(AddAnswer(samples[i], answers[i], *metric, &result));
      lines.Add(samples[i], answers[i]);
      if (!options.keep_metric) continue;
      result.answers.emplace_back();
      if (answers[i].ok()) result.answers.back() = *answers[i];
    }
    if (options.progress) options.progress(end, source.size());
  }
  if (keep) UNIVAL_RETURN_IF_ERROR(WriteOutputFile(options.results_file, lines.Text(*metric)));
  result.metrics = metric->Result();
  if (const ScoredMetric* scored = AsScored(metric.get()))
    result.intervals = BootstrapIntervals(*scored, options.bootstrap);
  result.calibration = lines.CalibrationOf(*metric, result.scores);
  if (options.keep_metric) result.metric = std::move(metric);
  UNIVAL_ASSIGN_OR_RETURN(result.constant, ScoreConstantAnswer(*task, source));
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

std::string BesideConstant(const EvaluationResult& result, const std::string& metric) {
  if (!result.constant || IsCount(metric)) return "";
  const auto found = result.constant->metrics.find(metric);
  if (found == result.constant->metrics.end()) return "";
  return absl::StrFormat("   (always \"%s\": %.4f)", BeginningOf(result.constant->TextOf(metric)),
                         found->second);
}

absl::Status CheckReadable(const EvaluationResult& result) {
  const double allowed = result.max_unreadable * static_cast<double>(result.samples);
  if (static_cast<double>(result.unreadable) <= allowed) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(
      "evaluation \"", result.name, "\": expected at most ", 100 * result.max_unreadable,
      " % of the records to be unreadable, got ", result.unreadable, " of ", result.samples,
      ", the first: ", absl::StripSuffix(result.first_unreadable, "."),
      "; the numbers say little about the model: repair or leave out these records"));
}

absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(
    const Task& task, const std::string& path, const std::map<std::string, std::string>& columns,
    int64_t limit) {
  SourceOptions options;
  options.path = path;
  options.columns = columns;
  options.limit = limit;
  options.missing_media = true;
  return OpenTaskSource(task, std::move(options));
}

absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(const Task& task, SourceOptions options) {
  const TaskInfo& info = task.info();
  const std::vector<std::string>& media = MediaColumns(info);
  options.media_columns.insert(options.media_columns.end(), media.begin(), media.end());
  options.usual_media = false;
  if (!options.needed.has_value()) options.needed.emplace();
  options.needed->insert(info.columns.begin(), info.columns.end());
  options.needed->insert(info.prediction_columns.begin(), info.prediction_columns.end());
  for (const auto& column : info.column_kinds) options.needed->insert(column.first);
  return OpenSource(options);
}

}  // namespace unival
