// unival: stage_report.h - where a stage stands: the line on the screen and the records of the log.
#ifndef UNIVAL_TRAINING_RUN_STAGE_REPORT_H_
#define UNIVAL_TRAINING_RUN_STAGE_REPORT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "training/run/part_times.h"
#include "training/run/run.h"

namespace unival {

// Belongs to the thread that trains; `run` must outlive it.
class StageReport {
 public:
  // The stage that the run is at begins or goes on now.
  explicit StageReport(Run* run);

  // A step is done: brings the run's seconds up to date.
  void CountSeconds();
  // What the window of the log has taken goes into the run's state, and the clock starts again: a
  // checkpoint holds it.
  void CloseWindow();
  // Shows the step on the screen; when the log is due, or the stage over, writes the window's
  // record and begins the next. `norm` of the gradients, before clipping.
  absl::Status Report(double rate, double norm, bool is_over);

 private:
  using Clock = PartTimer::Clock;

  double WindowSeconds() const;
  double TrainSeconds() const;
  void CountTime(ProgressRecord* record) const;
  ProgressRecord MakeRecord(double rate, double norm) const;

  Run& run_;
  const Stage& stage_;
  const int64_t total_steps_;
  const int64_t first_step_;
  const double seconds_before_;
  const Clock::time_point session_start_;
  Clock::time_point window_start_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_REPORT_H_
