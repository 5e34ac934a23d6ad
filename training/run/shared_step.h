// unival: shared_step.h - what the processes of one run tell each other in a step.
//
// Each has its own rows of a micro-batch. The loss is the mean over the tokens of all, so that N
// processes with B rows each do what one does with N * B (Sum of gradients in another order apart).
#ifndef UNIVAL_TRAINING_RUN_SHARED_STEP_H_
#define UNIVAL_TRAINING_RUN_SHARED_STEP_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "runtime/named_tensor.h"
#include "training/distributed/gradient_sum.h"
#include "training/distributed/world.h"
#include "training/run/checkpoint.h"
#include "training/run/training_step.h"

namespace unival {

// Of one micro-batch.
struct BatchCounts {
  int64_t rows = 0;
  int64_t examples = 0;  // rows that can be trained on
  int64_t cache_hits = 0;
  int64_t encoder_calls = 0;
  bool stop = false;  // asked for
};

// Single-threaded. All processes make the same calls.
class SharedStep {
 public:
  // `buffers`: statistics that modules keep while they train.
  SharedStep(World* world, const std::vector<NamedTensor>& parameters,
             const std::vector<NamedTensor>& buffers);

  // Both become those of all processes.
  absl::Status Share(BatchCounts* counts, std::vector<std::string>* failures);
  // The lines of all processes.
  absl::Status GatherLines(std::vector<std::string>* lines);
  // Process 0 validates; what it found decides for all.
  absl::Status TakeFromFirst(ValidationState* state, bool* is_best);
  // The loss of a micro-batch becomes that of all; dropout differs between processes. Before the
  // last micro-batch of a step, gradients are told to leave as they come.
  void Prepare(bool is_last, StepOptions* options);
  // Instead of ForwardBackward, where this process has no rows.
  absl::StatusOr<StepLoss> NoRows(const StepOptions& options);
  // Gradients become those of all rows, buffers the mean over processes.
  absl::Status Finish();
  // DataLoss names processes whose trained tensors are not those of process 0.
  absl::Status CheckAlike(const Model& model, const std::set<std::string>& trained);

 private:
  absl::Status ShareSums(StepSums* sums);

  World& world_;
  GradientSum gradients_;
  std::vector<NamedTensor> buffers_;  // those that hold floating-point numbers
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_SHARED_STEP_H_
