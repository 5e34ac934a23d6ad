// unival: unchanged.h
//
// Answers of a model to the tasks that it already knew, kept word for word, to be compared with
// another model's.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto before, AnswerKnownTasks(*base, data, 200));
//   UNIVAL_ASSIGN_OR_RETURN(auto after, AnswerKnownTasks(*trained, data, 200));
//   CompareAnswers(before, after);
#ifndef UNIVAL_EXAMPLES_QUICKSTART_UNCHANGED_H_
#define UNIVAL_EXAMPLES_QUICKSTART_UNCHANGED_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/report/quickstart_report.h"
#include "runtime/pipeline.h"

namespace unival::quickstart {

struct KnownTaskAnswers {
  std::string task, metric;
  double value = 0;
  std::vector<std::string> answers;  // text, box and score of each record, scores to the last bit
};

// Captions, answers and boxes for the first `limit` records of DATA/image/eval.
absl::StatusOr<std::vector<KnownTaskAnswers>> AnswerKnownTasks(Pipeline& pipeline,
                                                               const std::string& data,
                                                               int64_t limit);

std::vector<report::UnchangedTask> CompareAnswers(const std::vector<KnownTaskAnswers>& before,
                                                  const std::vector<KnownTaskAnswers>& after);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_UNCHANGED_H_
