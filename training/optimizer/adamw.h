// unival: adamw.h
//
// Adam with decoupled weight decay over an explicit list of parameters, and gradient clipping.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto optimizer, AdamW::Create({}, parameters));
//   optimizer->ZeroGradients();
//   loss.backward();
//   const double norm = optimizer->ScaleAndClipGradients(1.0 / sample_size, /*clip_norm=*/1.0);
//   UNIVAL_RETURN_IF_ERROR(optimizer->Step(LearningRate(schedule, finished_updates)));
//
// One update with gradient g at rate lr, as in the reference: p -= lr * weight_decay * p, then
// p -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon). Decay applies to all
// parameters, norms and biases too. A parameter without a gradient is left untouched, decay
// included, and its count t stands still.
#ifndef UNIVAL_TRAINING_OPTIMIZER_ADAMW_H_
#define UNIVAL_TRAINING_OPTIMIZER_ADAMW_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/optimizer/named_tensor.h"

namespace unival {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

// Single-threaded. Shares the parameters with their owner and writes them in place.
class AdamW {
 public:
  // InvalidArgument names the field or the parameter: two of one name, not a floating-point leaf
  // that requires a gradient.
  static absl::StatusOr<std::unique_ptr<AdamW>> Create(const AdamWConfig& config,
                                                       std::vector<NamedTensor> parameters);

  // Drops all gradients, so that parameters which the next loss does not reach have none.
  void ZeroGradients();

  // Multiplies all gradients by `scale`, then, if their joint 2-norm exceeds `clip_norm` (above 0),
  // by clip_norm / (norm + 1e-6). Returns the norm after scaling, before clipping; not finite when
  // a gradient is not, and then gradients are left as they are.
  double ScaleAndClipGradients(double scale, double clip_norm);

  // Updates every parameter that has a gradient. Internal: libtorch's own errors.
  absl::Status Step(double learning_rate);

  int64_t updates() const { return updates_; }
  const std::vector<NamedTensor>& parameters() const { return parameters_; }

  // "exp_avg.<name>" and "exp_avg_sq.<name>" (float32, the parameter's shape) for every parameter
  // that has been updated, "step" [1] int64, and "step.<name>" for parameters whose count differs
  // from it. Shares memory with the optimizer.
  TensorState State() const;
  // Takes over a copy of `state`. InvalidArgument names what is missing, surplus, or of another
  // shape; then nothing has changed.
  absl::Status LoadState(const TensorState& state);

 private:
  struct Moments {
    at::Tensor mean, square;  // undefined before the first update
    int64_t count = 0;
  };

  AdamW(const AdamWConfig& config, std::vector<NamedTensor> parameters);
  void Update(double learning_rate, at::Tensor parameter, const at::Tensor& gradient,
              Moments* moments) const;

  const AdamWConfig config_;
  std::vector<NamedTensor> parameters_;
  std::vector<Moments> moments_;
  int64_t updates_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_ADAMW_H_
