#include "training/run/stage_report.h"

#include <algorithm>

#include "sdk/base/memory_use.h"
#include "sdk/base/status_macros.h"
#include "training/run/part_times.h"

namespace unival {
StageReport::StageReport(Run* run)
    : run_(*run),
      stage_(run->plan.proto.stage(run->state.stage)),
      total_steps_(run->TotalSteps()),
      first_step_(run->state.step),
      seconds_before_(run->state.totals.seconds),
      session_start_(Clock::now()),
      window_start_(session_start_) {}

void StageReport::CountSeconds() {
  run_.state.totals.seconds = seconds_before_ + PartTimer::Since(session_start_);
}

double StageReport::WindowSeconds() const {
  return run_.state.window.seconds + PartTimer::Since(window_start_);
}

void StageReport::CloseWindow() {
  run_.state.window.seconds = WindowSeconds();
  window_start_ = Clock::now();
}

// Of the window, without what was not training.
double StageReport::TrainSeconds() const {
  double seconds = WindowSeconds();
  for (const char* part : {kValidation, kCheckpoint}) {
    const auto found = run_.state.window.part_seconds.find(part);
    if (found != run_.state.window.part_seconds.end()) seconds -= found->second;
  }
  return seconds;
}

void StageReport::CountTime(ProgressRecord* record) const {
  const RunState& state = run_.state;
  record->tokens_per_second =
      static_cast<double>(state.window.tokens) / std::max(1e-9, TrainSeconds());
  record->seconds = state.totals.seconds;
  record->eta_seconds = PartTimer::Since(session_start_) /
                        static_cast<double>(state.step - first_step_) *
                        static_cast<double>(total_steps_ - state.step);
  record->part_seconds = state.window.part_seconds;
  record->rss_mb = PeakMemoryMb();
}

ProgressRecord StageReport::MakeRecord(double rate, double norm) const {
  const RunState& state = run_.state;
  const LogWindow& window = state.window;
  ProgressRecord record;
  record.stage = stage_.name();
  record.step = state.step;
  record.total_steps = total_steps_;
  record.loss = window.loss / static_cast<double>(window.batches);
  for (const auto& [name, sum] : window.by_source) {
    record.source_loss[name] = sum.first / static_cast<double>(sum.second);
  }
  record.learning_rate = rate;
  record.grad_norm = norm;
  record.token_accuracy = static_cast<double>(window.correct) / std::max<int64_t>(1, window.tokens);
  record.rows = state.totals.rows;
  const auto by_source = state.totals.source_rows.find(stage_.name());
  if (by_source != state.totals.source_rows.end()) record.source_rows = by_source->second;
  record.encoder_calls = state.totals.encoder_calls;
  record.cache_hits = state.totals.cache_hits;
  record.decode_failures = state.totals.decode_failures;
  record.skipped_batches = state.totals.skipped;
  CountTime(&record);
  return record;
}

absl::Status StageReport::Report(double rate, double norm, bool is_over) {
  const int64_t step = run_.state.stage_step, every = stage_.log_every();
  const bool is_due = (every > 0 && step % every == 0) || is_over;
  if (run_.state.window.batches == 0) return absl::OkStatus();
  const ProgressRecord record = MakeRecord(rate, norm);
  run_.printer.Show(ProgressText(record));
  if (!is_due) return absl::OkStatus();
  UNIVAL_RETURN_IF_ERROR(run_.log.Write(record));
  if (run_.options.progress) run_.options.progress(record);
  run_.state.window = LogWindow();
  window_start_ = Clock::now();
  return absl::OkStatus();
}

}  // namespace unival
