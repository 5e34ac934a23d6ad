#include "training/evaluation/evaluate.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "runtime/record_check.h"
#include "sdk/base/beginning.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"
#include "training/evaluation/result_lines.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
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

// Whether `file` can be replaced by renaming another file to it. Pipes and devices cannot.
bool IsReplaceable(const std::string& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  return !absl::StartsWith(file, "/dev/") && (!fs::exists(status) || fs::is_regular_file(status));
}

// The path of the file itself where `file` is a link.
std::string RealFile(const std::string& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  return error ? file : real.string();
}

// Writes to a pipe or a device. Opens it without waiting, because a pipe may never get a reader.
absl::Status WriteInPlace(const std::string& file, const std::string& text) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const Descriptor output(open(file.c_str(), kFlags, 0644));
  if (!output.is_open() && errno == ENXIO) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, ": a pipe or a socket that nobody reads; start its reader first, or name a file"));
  }
  if (!output.is_open()) return SystemError(file, "cannot be opened", errno);
  fcntl(output.get(), F_SETFL, 0);  // writes may wait
  for (size_t begin = 0; begin < text.size();) {
    const ssize_t count = write(output.get(), text.data() + begin, text.size() - begin);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return SystemError(file, "cannot be written", count == 0 ? EIO : errno);
    begin += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

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

absl::Status CheckOutputFile(const std::string& file, const std::string& input) {
  std::error_code error;
  if (fs::equivalent(file, input, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": expected a file other than the data that is read, got ", input,
                     "; choose another name for the results"));
  }
  if (!IsReplaceable(file)) return absl::OkStatus();
  const fs::path parent = fs::path(RealFile(file)).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return SystemError(file, "cannot be written to its folder", errno);
  }
  return absl::OkStatus();
}

absl::Status WriteOutputFile(const std::string& file, const std::string& text) {
  if (IsReplaceable(file)) return WriteFileAtomically(RealFile(file), {text});
  return WriteInPlace(file, text);
}

absl::StatusOr<EvaluationResult> Evaluate(Pipeline& pipeline, const std::string& task_name,
                                          const Source& source, const EvaluationOptions& options) {
  const auto start = Clock::now();
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(task_name));
  pipeline.model().SetTraining(false);
  std::unique_ptr<Metric> metric = task->NewMetric();
  const bool keep = !options.results_file.empty();
  if (keep) UNIVAL_RETURN_IF_ERROR(CheckOutputFile(options.results_file, source.path()));
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
