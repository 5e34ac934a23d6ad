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

namespace unival {

// Belongs to one thread.
class ResultLines {
 public:
  // `references` reads what counts as right for a record; empty where the task does not say so.
  explicit ResultLines(ReferenceReader references);
  ~ResultLines();

  // "key"; "text", "score", "box", "codes", or "error"; "references" and "reference_box" where
  // they are known; the record's columns "kind", "group" and "objects".
  void Add(const TaskSample& sample, const absl::StatusOr<Prediction>& answer);

  // All lines, with "scores": what `metric`, which has seen the same records, gives each.
  std::string Text(const Metric& metric) const;

  // How sure the answers were and how often right, by the first metric of right and wrong that
  // `metric` has; absent without one, and where answers have no scores.
  absl::optional<Calibration> CalibrationOf(const Metric& metric) const;

 private:
  struct Lines;
  const ReferenceReader references_;
  const std::unique_ptr<Lines> lines_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_RESULT_LINES_H_
