// unival: measure.h - what a merged model is worth: merge to a scratch folder, answer, measure.
#ifndef UNIVAL_TRAINING_MERGING_MEASURE_H_
#define UNIVAL_TRAINING_MERGING_MEASURE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/merging/merge.h"
#include "runtime/pipeline.h"
#include "tasks/metrics/task_scores.h"
#include "training/merging/reestimate.h"

namespace unival {

struct MeasuredTask {
  std::string task;
  std::string data;                            // FILE.jsonl or FILE.tar
  std::string metric;                          // empty: MainMetric (main_metric.h), then filled in
  int64_t limit = 0;                           // only the first records; 0: all
  std::map<std::string, std::string> columns;  // task column -> record column
  TaskScores scores = {};                      // of the task; filled in

  bool less_is_better() const { return scores.LessIsBetter(metric); }
};

// TaskScores::Merit of the task's metric, for ranking: the lowest where the value is not a number.
double MeritOf(const MeasuredTask& task, double value);

struct MeasureOptions {
  PipelineOptions pipeline;  // but for the model
  std::vector<MeasuredTask> tasks;
  int batch = 64;
  // Every merge gets running statistics that are measured on these records; empty: none does.
  std::vector<ReestimationData> reestimate;
  // Where candidates are written one after the other; made, and removed at the end.
  std::string scratch;
  // Files that the caller writes: refused where records are read from one. May be empty.
  std::vector<std::string> written = {};
  // What is being measured, for progress.
  std::function<void(const std::string& what, int64_t done, int64_t total)> progress;
};

// Merges and measures candidates, one at a time. Not thread-safe. The scratch folder is removed
// when the object is destroyed.
class Measurer {
 public:
  // AlreadyExists when there is something at the scratch folder's place.
  static absl::StatusOr<std::unique_ptr<Measurer>> Create(MeasureOptions options);
  ~Measurer();
  Measurer(const Measurer&) = delete;
  Measurer& operator=(const Measurer&) = delete;

  // Whether the records of every task, also those of re-estimation, are there and hold what the
  // task and its metrics read, before the first candidate is made: errors of Pipeline::task,
  // OpenFittingSource and CheckJudgeable (task_source.h). `models`: those that are merged; a
  // task needs to be known to one of them, and its modalities to any. Looks once.
  absl::Status CheckTasks(const std::vector<std::string>& models);

  // The value of each task's metric, in order.
  absl::StatusOr<std::vector<double>> MeasureModel(const std::string& directory,
                                                   const std::string& what);
  absl::StatusOr<std::vector<double>> MeasureMerge(MergeOptions merge, const std::string& what);

  // Merges as MergeModels does, with re-estimated statistics if the options ask for them. In that
  // case CheckTasks comes first, and the models are merged twice: into the scratch folder, where
  // the statistics are measured, and with these statistics into the output, which is whole or
  // untouched.
  absl::StatusOr<MergeReport> Merge(MergeOptions merge);

  // The tasks, with the metrics in use and whether less of them is better.
  const std::vector<MeasuredTask>& tasks() const { return options_.tasks; }

 private:
  explicit Measurer(MeasureOptions options) : options_(std::move(options)) {}
  absl::StatusOr<std::unique_ptr<Pipeline>> OpenModel(const std::string& directory) const;
  absl::Status CheckTask(const MeasuredTask& asked, bool is_measured,
                         const std::vector<std::string>& models,
                         const std::vector<std::string>& modalities) const;
  absl::StatusOr<MeasuredStatistics> Reestimate(const std::string& directory) const;

  MeasureOptions options_;
  bool is_checked_ = false;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_MERGING_MEASURE_H_
