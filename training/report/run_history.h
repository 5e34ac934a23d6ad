// unival: run_history.h
//
// What a training run has told so far: its log, as numbers over steps.
//
//   UNIVAL_ASSIGN_OR_RETURN(const RunHistory history, ReadRunHistory("runs/depth"));
//   history.steps.back().loss
#ifndef UNIVAL_TRAINING_REPORT_RUN_HISTORY_H_
#define UNIVAL_TRAINING_REPORT_RUN_HISTORY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival {

// A record of the log; means are over the steps since the one before.
struct StepPoint {
  std::string stage;
  int64_t step = 0;  // of all stages
  // "loss", "loss/SOURCE", "token_accuracy", "learning_rate", "grad_norm", "tokens_per_second",
  // "seconds", "rows", "rss_mb", ...: every number of the record.
  std::map<std::string, double> values;
  std::map<std::string, double> part_seconds;  // training/run/part_times.h

  double value(const std::string& name) const;  // not a number where there is none
};

struct ValidationPoint {
  std::string stage, evaluation;
  int64_t step = 0;
  std::map<std::string, double> metrics;
  std::set<std::string> less_is_better;        // of `metrics`
  std::map<std::string, std::string> remarks;  // what their metrics have to say beside values
  std::string judged_by;                       // empty: did not judge
  bool is_best = false;
};

struct SkippedBatch {
  int64_t step = 0;
  std::string what;                  // "the loss is nan"
  std::vector<std::string> records;  // "train.jsonl:17"
};

// An answer of a validation.
struct ValidationAnswer {
  std::string text;  // or why there is none
  double score = 0;  // log-probability
  bool is_error = false;
};

// What one record was answered while the run went on.
struct RecordOverTime {
  std::string key, reference;
  std::map<int64_t, ValidationAnswer> answers;  // by step
};

struct RunHistory {
  std::string run, plan;  // its folder; the plan's name
  int64_t planned_steps = 0;
  bool finished = false;  // results are there
  std::vector<StepPoint> steps;
  std::vector<ValidationPoint> validations;
  std::vector<SkippedBatch> skipped;
  int64_t decode_failures = 0;
  std::map<std::string, double> results;  // "EVALUATION METRIC" of a finished run

  int64_t last_step() const;
};

// Reads a run's log, also while the run writes it: an incomplete last line is left out. NotFound
// where there is no log; InvalidArgument names a line that is no line of a log.
absl::StatusOr<RunHistory> ReadRunHistory(const std::string& run);

// The first `count` records that validations of `evaluation` answered, each with its answers by
// step.
absl::StatusOr<std::vector<RecordOverTime>> ReadValidationAnswers(const std::string& run,
                                                                  const std::string& evaluation,
                                                                  int count);

}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_RUN_HISTORY_H_
