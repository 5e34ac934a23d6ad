// unival: prompt_check.h
//
// Checks a template set against the records and the model that it is for, and lists every problem
// of every task and every record in one run.
//
//   PromptCheckOptions options;
//   options.set = "mine.textproto", options.data = "train.jsonl";
//   UNIVAL_ASSIGN_OR_RETURN(const PromptReport report, CheckPrompts(options, *runtime, &model));
//   std::cout << ProblemText(report.problems);
#ifndef UNIVAL_TRAINING_DATA_CHECK_PROMPT_CHECK_H_
#define UNIVAL_TRAINING_DATA_CHECK_PROMPT_CHECK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "runtime/runtime.h"
#include "tasks/templates/record_fault.h"
#include "training/data/check/problem.h"

namespace unival {

struct PromptCheckOptions {
  std::string set;                             // template set file
  std::vector<std::string> tasks;              // of the set; empty: all
  std::string data;                            // FILE.jsonl or FILE.tar; empty: the set alone
  std::map<std::string, std::string> columns;  // task column -> record column
  int64_t limit = 0;                           // only the first records; 0: all
  std::function<void(int64_t done, int64_t total)> progress;
};

struct PromptReport {
  std::vector<std::string> tasks;  // that were looked at
  int64_t records = 0;
  std::vector<Problem> problems;
};

// `model` may be null: then nothing is said of modalities, vocabulary and lengths. Its modalities
// need not be loaded. Errors: a set or data that cannot be opened or is no text format, a task that
// the set does not have.
absl::StatusOr<PromptReport> CheckPrompts(const PromptCheckOptions& options, const Runtime& runtime,
                                          const Model* model);

// Checks without records whether `source` and `model` fit each other: whether the model has the
// modalities, vocabulary blocks, mask token and pieces that the task needs, and tells its labels
// apart.
void CheckAgainstModel(const LoadedTemplate& source, const Runtime& runtime, const Model& model,
                       ProblemList* problems);

// Says what to do about a fault of a record that has these columns.
std::string RecordRemedy(const RecordFault& fault, const std::vector<std::string>& columns);

// The column that was likely meant by `column`, as advice; empty without one.
std::string NearestAdvice(const std::string& column, const std::vector<std::string>& names);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_PROMPT_CHECK_H_
