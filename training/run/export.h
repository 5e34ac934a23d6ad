// unival: export.h - writes a model directory from any checkpoint of a run.
//
//   ExportOptions options;
//   options.run = "runs/depth";
//   options.output = "models/depth_1000";
//   options.step = 1000;
//   UNIVAL_ASSIGN_OR_RETURN(const ExportResult exported, ExportCheckpoint(options, *runtime));
#ifndef UNIVAL_TRAINING_RUN_EXPORT_H_
#define UNIVAL_TRAINING_RUN_EXPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/runtime.h"

namespace unival {

struct ExportOptions {
  std::string run;                // its output folder; only read, but for the receipt
  std::string output;             // the model directory to make; absent
  absl::optional<uint64_t> step;  // of all stages; none: the newest
  bool best = false;              // the checkpoint of the best validation
  // Where the plan lies, for a run that was moved away from it, and for runs of before.
  std::string plan_file;
};

struct ExportResult {
  int64_t step = 0, planned_steps = 0;
  bool finished = false;     // whether the run was at its end there
  std::string receipt_file;  // RUN/receipts/STEP/receipt.json, the plan beside it
  int64_t trainable_scalars = 0;
};

// The checkpoints that a run has, by their steps, and that of its best validation.
struct CheckpointList {
  std::vector<int64_t> steps;
  absl::optional<int64_t> best;
};
// NotFound where there is no run.
absl::StatusOr<CheckpointList> ListCheckpoints(const std::string& run);

// The model that the run would hand on at that step: with the moving average where there is one, in
// the precision of `save_half`. Errors: NotFound (no run, no such checkpoint, no plan),
// FailedPrecondition (the output is there; the base model, tokenizer or templates have changed
// since the run began), DataLoss (a damaged checkpoint).
absl::StatusOr<ExportResult> ExportCheckpoint(const ExportOptions& options, const Runtime& runtime);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_EXPORT_H_
