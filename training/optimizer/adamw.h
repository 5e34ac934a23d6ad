// unival: adamw.h
//
// Adam with decoupled weight decay: the optimizer "adamw" of plans. It takes no options of its own.
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
#include "training/optimizer/optimizer.h"

namespace unival {

class AdamW : public Optimizer {
 public:
  // InvalidArgument names the field or the parameter (CheckTrainable).
  static absl::StatusOr<std::unique_ptr<AdamW>> Create(const OptimizerConfig& config,
                                                       std::vector<NamedTensor> parameters);

  absl::Status Step(double learning_rate) override;

  int64_t updates() const { return updates_; }

  // "exp_avg.<name>" and "exp_avg_sq.<name>" (float32, the parameter's shape) for every parameter
  // that has been updated, "step" [1] int64, and "step.<name>" for parameters whose count differs
  // from it.
  TensorState State() const override;
  absl::Status LoadState(const TensorState& state) override;

 private:
  struct Moments {
    at::Tensor mean, square;  // undefined before the first update
    int64_t count = 0;
  };

  AdamW(const OptimizerConfig& config, std::vector<NamedTensor> parameters);
  void Update(double learning_rate, at::Tensor parameter, const at::Tensor& gradient,
              Moments* moments) const;

  const OptimizerConfig config_;
  std::vector<Moments> moments_;
  int64_t updates_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_ADAMW_H_
