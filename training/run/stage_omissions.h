// unival: stage_omissions.h - what a stage has to leave out, counted and named.
#ifndef UNIVAL_TRAINING_RUN_STAGE_OMISSIONS_H_
#define UNIVAL_TRAINING_RUN_STAGE_OMISSIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "training/run/run.h"
#include "training/run/shared_step.h"

namespace unival {

// Records that cannot be read or decoded, and batches whose loss or gradient is no number. Each is
// counted in the run's totals and named in its log; too many end the run. Belongs to the thread
// that trains; `run` must outlive it.
class StageOmissions {
 public:
  // Of the stage that the run is at.
  explicit StageOmissions(Run* run);

  // One line for each record that was left out. OutOfRange where they are over 1 % of all.
  absl::Status CountRecords(const std::vector<std::string>& failures);
  absl::Status Judge() const;
  // NonFiniteError where every batch so far was left out: a model that was not trained is no
  // result.
  absl::Status JudgeSteps() const;
  // A batch is left out. `what`: "the loss is nan"; `records`: keys of its rows, and `to_blame`: of
  // those that are no number by themselves. Both are this process's where several share the run
  // (`shared`). Named are those to blame, whichever process has them, and all where none is.
  // NonFiniteError where there were more than the plan allows.
  absl::Status CountBatch(const std::string& what, std::vector<std::string> records,
                          std::vector<std::string> to_blame, SharedStep* shared);

 private:
  std::string Where() const;
  absl::Status NotFinite(const std::string& what, const std::vector<std::string>& records) const;

  Run& run_;
  const Stage& stage_;
  std::string last_failure_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_OMISSIONS_H_
