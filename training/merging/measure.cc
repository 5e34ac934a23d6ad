#include "training/merging/measure.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/output_check.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/main_metric.h"
#include "training/evaluation/task_source.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::unique_ptr<Source>> SourceOf(const Task& task,
                                                 const std::vector<std::string>& modalities,
                                                 const MeasuredTask& measured) {
  return OpenFittingSource(task, modalities, {measured.data, measured.columns, measured.limit});
}

absl::Status CheckRecords(const Task& task, const std::vector<std::string>& modalities,
                          const MeasuredTask& asked, bool is_measured,
                          const std::vector<std::string>& written) {
  UNIVAL_ASSIGN_OR_RETURN(const auto source, SourceOf(task, modalities, asked));
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, *source));
  return is_measured ? CheckJudgeable(task, *source) : absl::OkStatus();
}

// The modality ids of all models; a merged model has them all.
absl::StatusOr<std::vector<std::string>> ModalitiesOfAll(const std::vector<std::string>& models) {
  std::set<std::string> ids;
  for (const std::string& model : models) {
    UNIVAL_ASSIGN_OR_RETURN(const auto directory, ModelDirectory::Open(model));
    for (const ModalityConfig& modality : directory->manifest().modality()) {
      ids.insert(modality.id());
    }
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

absl::StatusOr<double> MeasureTask(Pipeline& pipeline, const MeasureOptions& options,
                                   const std::string& what, MeasuredTask* measured) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(measured->task));
  UNIVAL_ASSIGN_OR_RETURN(const auto source,
                          SourceOf(*task, pipeline.model().known_modalities(), *measured));
  EvaluationOptions evaluation;
  evaluation.batch = options.batch;
  if (options.progress) {
    evaluation.progress = [&](int64_t done, int64_t total) {
      options.progress(absl::StrCat(what, ", ", measured->task), done, total);
    };
  }
  UNIVAL_ASSIGN_OR_RETURN(const EvaluationResult result,
                          Evaluate(pipeline, measured->task, *source, evaluation));
  UNIVAL_RETURN_IF_ERROR(CheckReadable(result));
  UNIVAL_ASSIGN_OR_RETURN(measured->metric, MainMetric(result, measured->metric));
  measured->scores = result.scores;
  return result.metrics.at(measured->metric);
}

}  // namespace

double MeritOf(const MeasuredTask& task, double value) {
  if (std::isnan(value)) return -std::numeric_limits<double>::infinity();
  return task.scores.Merit(task.metric, value);
}

absl::StatusOr<std::unique_ptr<Measurer>> Measurer::Create(MeasureOptions options) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(options.scratch, error))) {
    return absl::AlreadyExistsError(
        absl::StrCat(options.scratch,
                     ": expected no file or folder, as candidates are written here and removed ",
                     "at the end; remove it, or name another folder"));
  }
  UNIVAL_RETURN_IF_ERROR(MakeFolders(options.scratch));
  return std::unique_ptr<Measurer>(new Measurer(std::move(options)));
}

Measurer::~Measurer() {
  std::error_code error;
  fs::remove_all(options_.scratch, error);
}

absl::StatusOr<std::unique_ptr<Pipeline>> Measurer::OpenModel(const std::string& directory) const {
  PipelineOptions pipeline_options = options_.pipeline;
  pipeline_options.model = directory;
  // One task needs only its own modalities.
  if (options_.tasks.size() == 1) pipeline_options.task = options_.tasks[0].task;
  return Pipeline::Create(pipeline_options);
}

// Checks the task with the first model that has it.
absl::Status Measurer::CheckTask(const MeasuredTask& asked, bool is_measured,
                                 const std::vector<std::string>& models,
                                 const std::vector<std::string>& modalities) const {
  absl::Status unknown;
  for (const std::string& model : models) {
    PipelineOptions pipeline_options = options_.pipeline;
    pipeline_options.model = model;
    pipeline_options.task = asked.task;
    const auto pipeline = Pipeline::Create(pipeline_options);
    const absl::StatusOr<const Task*> task =
        pipeline.ok() ? (*pipeline)->task(asked.task) : pipeline.status();
    if (task.ok()) {
      return CheckRecords(**task, modalities, asked, is_measured, options_.written);
    }
    if (unknown.ok()) unknown = task.status();
  }
  return unknown;
}

absl::Status Measurer::CheckTasks(const std::vector<std::string>& models) {
  if (is_checked_) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> modalities, ModalitiesOfAll(models));
  for (const MeasuredTask& task : options_.tasks) {
    UNIVAL_RETURN_IF_ERROR(CheckTask(task, /*is_measured=*/true, models, modalities));
  }
  for (const ReestimationData& data : options_.reestimate) {
    const MeasuredTask read = {data.task, data.data, "", data.limit, data.columns};
    UNIVAL_RETURN_IF_ERROR(
        Annotate(CheckTask(read, /*is_measured=*/false, models, modalities), "re-estimation"));
  }
  is_checked_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> Measurer::MeasureModel(const std::string& directory,
                                                           const std::string& what) {
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, OpenModel(directory));
  std::vector<double> values;
  for (MeasuredTask& task : options_.tasks) {
    UNIVAL_ASSIGN_OR_RETURN(values.emplace_back(),
                            Annotate(MeasureTask(*pipeline, options_, what, &task), what));
  }
  return values;
}

absl::StatusOr<std::vector<double>> Measurer::MeasureMerge(MergeOptions merge,
                                                           const std::string& what) {
  merge.output = absl::StrCat(options_.scratch, "/candidate");
  merge.overwrite = true;
  merge.progress = nullptr;
  UNIVAL_RETURN_IF_ERROR(Merge(merge).status());
  return MeasureModel(merge.output, what);
}

absl::StatusOr<MergeReport> Measurer::Merge(MergeOptions merge) {
  if (options_.reestimate.empty()) return MergeModels(merge);
  UNIVAL_RETURN_IF_ERROR(CheckTasks(merge.models));
  MergeOptions plain = merge;
  plain.output = absl::StrCat(options_.scratch, "/merged");
  plain.overwrite = true;
  plain.progress = nullptr;
  UNIVAL_RETURN_IF_ERROR(MergeModels(plain).status());
  UNIVAL_ASSIGN_OR_RETURN(merge.measured, Reestimate(plain.output));
  return MergeModels(merge);
}

absl::StatusOr<MeasuredStatistics> Measurer::Reestimate(const std::string& directory) const {
  PipelineOptions pipeline_options = options_.pipeline;
  pipeline_options.model = directory;
  const std::vector<ReestimationData>& data = options_.reestimate;
  if (data.size() == 1) pipeline_options.task = data[0].task;
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Create(pipeline_options));
  ReestimationOptions options;
  options.batch = options_.batch;
  if (options_.progress) {
    options.progress = [&](int64_t done, int64_t total) {
      options_.progress("statistics", done, total);
    };
  }
  return Annotate(ReestimateStatistics(*pipeline, data, options), "re-estimation");
}

}  // namespace unival
