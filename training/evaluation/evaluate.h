// unival: evaluate.h
//
// Runs a task over every record of a source and measures the answers.
//
//   EvaluationOptions options;
//   UNIVAL_ASSIGN_OR_RETURN(auto result, Evaluate(*pipeline, "depth_caption", *source, options));
//   result.metrics["exact_match"]
#ifndef UNIVAL_TRAINING_EVALUATION_EVALUATE_H_
#define UNIVAL_TRAINING_EVALUATION_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/pipeline.h"
#include "tasks/metrics/bootstrap.h"
#include "tasks/metrics/calibration.h"
#include "tasks/metrics/task_scores.h"
#include "training/data/read/source.h"
#include "training/evaluation/constant_answer.h"

namespace unival {

// When more than this share of the records cannot be read or decoded, and nothing else was asked
// for, the evaluation is an error: its figures say little about the model.
constexpr double kMaxUnreadableShare = 0.1;

struct EvaluationOptions {
  int batch = 64;  // rows answered together
  // One JSON object per record, written when all are answered; empty: not written. None of the
  // files that records are read from.
  std::string results_file;
  BootstrapOptions bootstrap{/*resamples=*/0};  // for intervals
  double max_unreadable = kMaxUnreadableShare;
  bool keep_metric = false;     // keep `metric` and `answers` in the result
  GenerationConfig generation;  // overrides of the task's own settings
  std::function<void(int64_t done, int64_t total)> progress;
};

struct EvaluationResult {
  std::string name;
  std::string task;
  std::map<std::string, double> metrics;
  TaskScores scores;                          // what is known of `metrics`: which of two is better
  std::map<std::string, Interval> intervals;  // of those that can have one
  absl::optional<Calibration> calibration;    // where answers have scores and are right or wrong
  // The metric that has seen all answers, where it was asked for. It must not outlive the task.
  std::shared_ptr<const Metric> metric;
  std::vector<absl::optional<Prediction>> answers;  // beside `metric`; absent: failed
  absl::optional<ConstantAnswer> constant;          // what `metrics` are to be read beside
  std::string diagnosis;                            // by a caller; empty where nothing is wrong
  int64_t samples = 0;
  // "KEY: reason" of records that could not be answered; they count as wrong.
  std::vector<std::string> failures;
  // How many of `failures` could not be read: media that are missing or cannot be decoded. A wrong
  // answer of the model is not among them.
  int64_t unreadable = 0;
  double max_unreadable = kMaxUnreadableShare;
  std::string first_unreadable;  // its line in `failures`
  double seconds = 0;
};

// The model runs in evaluation mode and is left in it. Errors: an unknown task, a modality that is
// not loaded or does not work, a record that cannot be read, results that cannot be written; a
// media file that cannot be decoded, or is missing where the source was opened so, is a failure of
// that record.
absl::StatusOr<EvaluationResult> Evaluate(Pipeline& pipeline, const std::string& task,
                                          const Source& source, const EvaluationOptions& options);

// For tables of metrics: "   (always \"zero\": 0.6160)", or nothing where the metric says nothing
// about the constant answer.
std::string BesideConstant(const EvaluationResult& result, const std::string& metric);

// OutOfRange when more than the allowed share of the records were unreadable, with the count and
// the first reason. Call it after the results are written.
absl::Status CheckReadable(const EvaluationResult& result);

// Opens the source of a task, for prediction and evaluation: media columns follow from the task's
// inputs, and missing media are left to the decoder. `path` is as given, not relative to anything.
absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(
    const Task& task, const std::string& path, const std::map<std::string, std::string>& columns,
    int64_t limit);
// Does the same with all options of a source. It sets `options.media_columns` itself: the media
// columns are those of the task alone.
absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(const Task& task, SourceOptions options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_EVALUATE_H_
