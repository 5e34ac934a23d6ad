// unival: answer_length_check.h - said before a run: targets that its model could never answer
// with.
#ifndef UNIVAL_TRAINING_RUN_ANSWER_LENGTH_CHECK_H_
#define UNIVAL_TRAINING_RUN_ANSWER_LENGTH_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "training/run/run.h"

namespace unival {

// Records whose target is longer than what the task lets the model generate.
struct CutTargets {
  int64_t records = 0, looked_at = 0;
  int64_t allowed = 0;  // tokens, without </s>
  int64_t longest = 0;
  std::string key;   // of the record with the longest target
  std::string text;  // of that target
};

// Looks at some hundred records, evenly over the source; absent where all fit. Records that cannot
// be read are left to whoever reads them in earnest. Media are not decoded.
absl::optional<CutTargets> FindCutTargets(const Task& task, const Source& source,
                                          const VocabularyView& vocabulary);

// One line a source or evaluation of the plan, to the run's printer: how many, an example, and what
// to set. Nothing stops, for a model may be trained on what it is to begin an answer with.
void WarnOfCutTargets(Run& run);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_ANSWER_LENGTH_CHECK_H_
