// unival: progress.h - what a run reports: one JSON object a line in log.jsonl, and a line on
// standard error.
#ifndef UNIVAL_TRAINING_RUN_PROGRESS_H_
#define UNIVAL_TRAINING_RUN_PROGRESS_H_

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// The state of a run at one step; means are over the steps since the previous record.
struct ProgressRecord {
  std::string stage;
  int64_t step = 0;         // finished steps of all stages
  int64_t total_steps = 0;  // of all stages
  double loss = 0;          // per token, mean over micro-batches
  std::map<std::string, double> source_loss;
  double learning_rate = 0;
  double grad_norm = 0;  // before clipping
  double token_accuracy = 0;
  double tokens_per_second = 0;  // target tokens
  double seconds = 0;            // since the run began, over all resumptions
  double eta_seconds = 0;
  int64_t rows = 0;                            // records seen so far
  std::map<std::string, int64_t> source_rows;  // of these, by source, in this stage
  std::map<std::string, double> part_seconds;  // since the previous record: docs/formats/plan.md
  int64_t encoder_calls = 0;                   // of frozen encoders so far, one per media item
  int64_t cache_hits = 0;
  int64_t decode_failures = 0;
  double rss_mb = 0;  // peak
  int64_t skipped_batches = 0;
};

// What one evaluation gave while a stage ran.
struct ValidationRecord {
  std::string stage;
  int64_t step = 0;  // finished steps of all stages
  std::string evaluation;
  double seconds = 0;
  std::map<std::string, double> metrics;
  std::string judged_by;                       // the judge's metric; empty for other evaluations
  std::vector<std::string> less_is_better;     // of `metrics`, failures aside
  std::map<std::string, std::string> remarks;  // ScoreInfo::remark, of those that have one
  bool is_best = false;
};

// One line for people: "connection step 20/800  loss 0.5123 ...".
std::string ProgressText(const ProgressRecord& record);

// Appends to log.jsonl.
// One that was not opened takes records and keeps none: of processes that write nothing.
class RunLog {
 public:
  // Keeps the records of steps up to `last_step` and drops what a killed run wrote after its
  // checkpoint.
  absl::Status Open(const std::string& path, int64_t last_step);
  // Errors name the file: a full disk, or a limit of file size.
  absl::Status Write(const ProgressRecord& record);
  // One record that could not be read, or one media item that could not be decoded.
  absl::Status WriteFailure(int64_t step, const std::string& what);
  // A batch that was left out because `what` was no finite number, and the records that it held, or
  // those of them that are to blame.
  absl::Status WriteSkipped(int64_t step, const std::string& what,
                            const std::vector<std::string>& records);
  absl::Status WriteValidation(const ValidationRecord& record);
  // A source that takes part after this step, since validations were no better.
  absl::Status WriteUnlocked(int64_t step, const std::string& stage, const std::string& source);

 private:
  absl::Status WriteLine(const std::string& line);

  std::string path_;
  std::ofstream stream_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_PROGRESS_H_
