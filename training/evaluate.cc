#include "training/evaluate.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "sdk/native/status_macros.h"
#include "tasks/template_task.h"

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

std::string ResultLine(const TaskSample& sample, const absl::StatusOr<Prediction>& answer) {
  nlohmann::ordered_json line = {{"key", sample.key}};
  if (!answer.ok()) {
    line["error"] = std::string(answer.status().message());
  } else {
    line["text"] = answer->text;
    line["score"] = answer->score;
    if (answer->box) line["box"] = *answer->box;
    if (!answer->codes.empty()) line["codes"] = answer->codes;
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Columns that hold media: named by the template, otherwise after the modality.
std::vector<std::string> MediaColumns(const Task& task) {
  const auto* from_template = dynamic_cast<const TemplateTask*>(&task);
  if (from_template == nullptr) return task.info().modalities;
  std::vector<std::string> columns;
  for (const TaskInput& input : from_template->proto().input()) columns.push_back(input.name());
  return columns;
}

}  // namespace

absl::StatusOr<EvaluationResult> Evaluate(Pipeline& pipeline, const std::string& task_name,
                                          const Source& source, const EvaluationOptions& options) {
  const auto start = Clock::now();
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(task_name));
  pipeline.model().SetTraining(false);
  std::unique_ptr<Metric> metric = task->NewMetric();
  std::ofstream results;
  if (!options.results_file.empty()) {
    results.open(options.results_file, std::ios::trunc);
    if (!results)
      return absl::InternalError(absl::StrCat(options.results_file, ": cannot be written"));
  }
  EvaluationResult result;
  result.name = result.task = task_name;
  result.samples = source.size();
  const int64_t batch = std::max(1, options.batch);
  for (int64_t begin = 0; begin < source.size(); begin += batch) {
    const int64_t end = std::min(source.size(), begin + batch);
    UNIVAL_ASSIGN_OR_RETURN(auto samples, ReadSamples(source, begin, end));
    UNIVAL_ASSIGN_OR_RETURN(auto answers,
                            pipeline.PredictBatch(task_name, samples, options.generation));
    for (size_t i = 0; i < samples.size(); ++i) {
      if (answers[i].ok()) {
        UNIVAL_RETURN_IF_ERROR(metric->Add(samples[i], *answers[i]));
      } else {
        metric->AddFailure(samples[i]);
        result.failures.push_back(
            absl::StrCat(samples[i].key, ": ", answers[i].status().message()));
      }
      if (results.is_open()) results << ResultLine(samples[i], answers[i]);
    }
    if (options.progress) options.progress(end, source.size());
  }
  result.metrics = metric->Result();
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(
    const Task& task, const std::string& path, const std::map<std::string, std::string>& columns,
    int64_t limit) {
  SourceOptions options;
  options.path = path;
  options.columns = columns;
  options.limit = limit;
  return OpenTaskSource(task, std::move(options));
}

absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(const Task& task, SourceOptions options) {
  options.media_columns = MediaColumns(task);
  return OpenSource(options);
}

}  // namespace unival
