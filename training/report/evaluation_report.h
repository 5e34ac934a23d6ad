// unival: evaluation_report.h
//
// An evaluation as one HTML file that needs nothing else: scores with intervals, in all and by
// kind, how sure the model is and how often right, and the best, the worst and the least certain
// answers with what the model saw.
//
//   UNIVAL_ASSIGN_OR_RETURN(std::string html, RenderEvaluation(page, *source, *decoder));
#ifndef UNIVAL_TRAINING_REPORT_EVALUATION_REPORT_H_
#define UNIVAL_TRAINING_REPORT_EVALUATION_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/media.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"
#include "training/evaluation/evaluate.h"

namespace unival::report {

struct EvaluationPage {
  std::string model, data;                   // as they were given
  const Task* task = nullptr;                // whose records `source` holds
  const EvaluationResult* result = nullptr;  // with metric and answers kept
  int cases = 6;                             // of each sort
};

// The page as HTML. Records that it shows are read again from `source`. Errors: a record that
// cannot be read.
absl::StatusOr<std::string> RenderEvaluation(const EvaluationPage& page, const Source& source,
                                             const MediaDecoder& decoder);

}  // namespace unival::report

#endif  // UNIVAL_TRAINING_REPORT_EVALUATION_REPORT_H_
