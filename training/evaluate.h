// unival: evaluate.h
//
// Runs a task over every record of a source and measures the answers.
//
//   EvaluationOptions options;
//   UNIVAL_ASSIGN_OR_RETURN(auto result, Evaluate(*pipeline, "depth_caption", *source, options));
//   result.metrics["exact_match"]
#ifndef UNIVAL_TRAINING_EVALUATE_H_
#define UNIVAL_TRAINING_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/pipeline.h"
#include "training/data/source.h"

namespace unival {

struct EvaluationOptions {
  int batch = 64;               // rows answered together
  std::string results_file;     // one JSON object per record (key, answer, score, or error); empty:
                                // not written
  GenerationConfig generation;  // overrides of the task's own settings
  std::function<void(int64_t done, int64_t total)> progress;
};

struct EvaluationResult {
  std::string name;
  std::string task;
  std::map<std::string, double> metrics;
  int64_t samples = 0;
  std::vector<std::string>
      failures;  // "KEY: reason" of records that could not be answered; they count as wrong
  double seconds = 0;
};

// The model runs in evaluation mode and is left in it. Errors: an unknown task, a modality that is
// not loaded, a record that cannot be read; a media file that cannot be decoded is a failure of
// that record.
absl::StatusOr<EvaluationResult> Evaluate(Pipeline& pipeline, const std::string& task,
                                          const Source& source, const EvaluationOptions& options);

// Opens the source of a task: media columns follow from the task's inputs. `path` is as given, not
// relative to anything.
absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(
    const Task& task, const std::string& path, const std::map<std::string, std::string>& columns,
    int64_t limit);
// The same for all that a source can be told; `options.media_columns` is filled in.
absl::StatusOr<std::unique_ptr<Source>> OpenTaskSource(const Task& task, SourceOptions options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATE_H_
