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

  // Adds the line of one record: "key"; "text", "score", "box", "codes", or "error"; "references"
  // and "reference_box" where they are known; the record's columns "kind", "group" and "objects".
  void Add(const TaskSample& sample, const absl::StatusOr<Prediction>& answer);

  // All lines as text. Each gets "scores": the scores of its record by `metric`, which must have
  // seen the same records.
  std::string Text(const Metric& metric) const;

  // How sure the answers were and how often they were right, by the main one of those scores of
  // `metric` that are shares of right answers. Absent without such a score, or where answers have
  // no scores.
  absl::optional<Calibration> CalibrationOf(const Metric& metric, const TaskScores& scores) const;

 private:
  struct Lines;
  const Task& task_;
  const std::unique_ptr<Lines> lines_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_RESULT_LINES_H_
