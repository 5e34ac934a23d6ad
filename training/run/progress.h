// unival: progress.h - what a run tells: one JSON object per record in log.jsonl, and a line on
// stderr.
#ifndef UNIVAL_TRAINING_RUN_PROGRESS_H_
#define UNIVAL_TRAINING_RUN_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>

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
  int64_t rows = 0;           // records seen so far
  int64_t encoder_calls = 0;  // of frozen encoders so far, one per media item
  int64_t cache_hits = 0;
  int64_t decode_failures = 0;
  double rss_mb = 0;  // peak
};

// Peak resident memory of this process in MiB.
double PeakMemoryMb();

// Appends to log.jsonl.
class RunLog {
 public:
  // Keeps the records of steps up to `last_step` and drops what a killed run wrote after its
  // checkpoint.
  absl::Status Open(const std::string& path, int64_t last_step);
  void Write(const ProgressRecord& record);
  // One media item that could not be decoded.
  void WriteFailure(int64_t step, const std::string& what);

 private:
  std::ofstream stream_;
};

// One line, rewritten in place on a terminal, printed every five seconds elsewhere. Writes to
// stderr.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(bool quiet);
  ~ProgressPrinter();
  void Update(const ProgressRecord& record);
  // "evaluating depth_caption: 128 of 400"
  void Update(const std::string& line);
  // A line that stays.
  void Say(const std::string& line);

 private:
  void Show(const std::string& line);

  const bool quiet_;
  const bool terminal_;
  bool open_line_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_PROGRESS_H_
