// unival: result_lines.h - what an evaluation keeps of every record: a JSON object a line, which
// `unival score` reads too.
#ifndef UNIVAL_TRAINING_EVALUATION_RESULT_LINES_H_
#define UNIVAL_TRAINING_EVALUATION_RESULT_LINES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"
#include "tasks/metrics/calibration.h"
#include "tasks/metrics/task_scores.h"

namespace unival {

// Belongs to one thread.
class ResultLines {
 public:
  // `task` must outlive this.
  explicit ResultLines(const Task& task);
  ~ResultLines();

  // "key"; "text", "score", "box", "codes", or "error"; "references" and "reference_box" where
  // they are known; the record's columns "kind", "group" and "objects".
  void Add(const TaskSample& sample, const absl::StatusOr<Prediction>& answer);

  // All lines, with "scores": what `metric`, which has seen the same records, gives each.
  std::string Text(const Metric& metric) const;

  // How sure the answers were and how often right, by the main one of the scores of `metric` that
  // are shares of right answers; absent without one, and where answers have no scores.
  absl::optional<Calibration> CalibrationOf(const Metric& metric, const TaskScores& scores) const;

 private:
  struct Lines;
  const Task& task_;
  const std::unique_ptr<Lines> lines_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_RESULT_LINES_H_
