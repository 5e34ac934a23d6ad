// unival: training_step.h - one micro-batch on the compute thread: frozen features, forward, loss,
// backward.
#ifndef UNIVAL_TRAINING_RUN_TRAINING_STEP_H_
#define UNIVAL_TRAINING_RUN_TRAINING_STEP_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/model.h"
#include "training/loss/loss.h"
#include "training/run/batch_loader.h"
#include "training/run/mixed_loss.h"

namespace unival {

class LossPlan;

// Computes the features that are still missing, without gradients and one media item at a time: the
// result does not depend on which items share a batch or come from the cache. `encoder_calls`
// counts the items encoded.
absl::Status EncodePending(const Model& model, const std::map<std::string, FeatureCache*>& frozen,
                           TrainingBatch* batch, int64_t* encoder_calls, int64_t* cache_hits);

// Teacher forcing for a batch.
struct TargetRows {
  at::Tensor previous;   // [B, T] int64: <s>, then prefix and target shifted by one
  at::Tensor labels;     // [B, T] int64: target, pad over the prefix and behind the end
  at::Tensor code_rows;  // [B] bool, rows whose target are image codes; undefined: none
  LossMasks masks;       // what tasks say of the loss: weights of rows, and closed sets
};
TargetRows MakeTargetRows(const Model& model, absl::Span<const PreparedExample> examples);

// The loss that a plan asks for.
LossConfig MakeLoss(const LossPlan& plan, const VocabularyView& vocabulary);

struct StepOptions {
  LossConfig loss;
  int64_t update = 0;  // finished updates, for drop_worst_after
  double scale = 1;    // of the gradients: 1 / micro-batches
  uint64_t seed = 0;   // of dropout
  // Products of the forward pass in bfloat16; weights, gradients and loss stay float32.
  bool bfloat16 = false;
  // Of rows of several sources; `loss` is then by row.
  absl::optional<MixedRows> mixed;
  // Where several processes share the step: turns the sums of this one into those of all, between
  // forward and backward. The gradients are then this process's part of those of all rows. Empty:
  // alone.
  std::function<absl::Status(StepSums*)> share;
};

// Adds the gradients of one micro-batch. NonFiniteError when the loss is not finite (no gradient is
// added then). FailedPrecondition when it depends on no parameter that asks for a gradient.
absl::StatusOr<StepLoss> ForwardBackward(const Model& model,
                                         absl::Span<const PreparedExample> examples,
                                         const StepOptions& options);

std::vector<std::string> KeysOf(absl::Span<const PreparedExample> examples);

// Which of the records of a micro-batch have a loss that is not finite by themselves, by their
// keys, "train.jsonl:17". No gradient is added. For a model in evaluation mode: statistics of one
// row would be none.
std::vector<std::string> NonFiniteRecords(const Model& model,
                                          absl::Span<const PreparedExample> examples,
                                          const StepOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_TRAINING_STEP_H_
