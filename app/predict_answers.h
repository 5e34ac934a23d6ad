// unival: predict_answers.h - `unival predict` at work: records in, answers out.
#ifndef UNIVAL_APP_PREDICT_ANSWERS_H_
#define UNIVAL_APP_PREDICT_ANSWERS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "app/predict_inputs.h"
#include "runtime/pipeline.h"
#include "sdk/proto/task.pb.h"
#include "training/evaluation/evaluate.h"

namespace unival {

struct PredictArguments {
  PipelineOptions pipeline;
  std::string task, draw, save;
  PredictInputs inputs;
  absl::optional<int> beam, n_best, top_k;
  absl::optional<double> temperature, top_p;
  absl::optional<uint64_t> seed;
  GenerationConfig generation;  // what the options set, `n_best` and `beam` aside
  int batch = 16;
  double max_unreadable = kMaxUnreadableShare;
  bool json = false, stream = false;
};

// Answers all records, in their order, on standard output; names those without an answer on
// standard error. OutOfRange when there are too many of these; of a single record its own error.
absl::Status AnswerRecords(const PredictArguments& arguments, Pipeline& pipeline, const Task& task);

}  // namespace unival

#endif  // UNIVAL_APP_PREDICT_ANSWERS_H_
