// unival: optimizer.h
//
// What every optimizer does, and the table of those that a plan may name.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto optimizer, CreateOptimizer("adamw", {}, parameters));
//   optimizer->ZeroGradients();
//   loss.backward();
//   const double norm = optimizer->ScaleAndClipGradients(1.0 / sample_size, /*clip_norm=*/1.0);
//   UNIVAL_RETURN_IF_ERROR(optimizer->Step(schedule.Rate(finished_updates)));
//
// A new one is a class in a file of its own, which ends with its entry in the table
// (docs/plug_points.md shows one whole):
//
//   const Registered<OptimizerType> kLion({"lion", "Sign of the momentum", &CreateLion});
#ifndef UNIVAL_TRAINING_OPTIMIZER_OPTIMIZER_H_
#define UNIVAL_TRAINING_OPTIMIZER_OPTIMIZER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/registered.h"
#include "training/optimizer/named_tensor.h"

namespace unival {

// What a plan says of its optimizer. An optimizer refuses an `option` that it does not know, and
// may leave the other fields unused.
struct OptimizerConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  std::map<std::string, double> option;
};

// Single-threaded. Shares the parameters with their owner and writes them in place.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Updates every parameter that has a gradient. Internal: libtorch's own errors.
  virtual absl::Status Step(double learning_rate) = 0;

  // All that the next step depends on beside parameters and gradients, by names that a checkpoint
  // may hold. Shares memory with the optimizer.
  virtual TensorState State() const = 0;
  // Takes over a copy of `state`, so that training goes on to the bit. InvalidArgument names what
  // is missing, surplus, or of another shape; then nothing has changed.
  virtual absl::Status LoadState(const TensorState& state) = 0;

  // Drops all gradients, so that parameters which the next loss does not reach have none.
  void ZeroGradients();

  // Multiplies all gradients by `scale`, then, if their joint 2-norm exceeds `clip_norm` (above 0),
  // by clip_norm / (norm + 1e-6). Returns the norm after scaling, before clipping; not finite when
  // a gradient is not, and then gradients are left as they are.
  double ScaleAndClipGradients(double scale, double clip_norm);

  const std::vector<NamedTensor>& parameters() const { return parameters_; }

 protected:
  explicit Optimizer(std::vector<NamedTensor> parameters) : parameters_(std::move(parameters)) {}

 private:
  std::vector<NamedTensor> parameters_;
};

struct OptimizerType {
  std::string name;     // lower_snake, as plans say it
  std::string summary;  // one line
  // Called with parameters that CheckTrainable accepts, and without any where a plan is checked.
  // InvalidArgument names the field of the configuration that does not fit.
  std::function<absl::StatusOr<std::unique_ptr<Optimizer>>(const OptimizerConfig& config,
                                                           std::vector<NamedTensor> parameters)>
      create;
};

// NotFound lists the names that there are; InvalidArgument names the field of `config`, or the
// parameter that CheckTrainable refuses.
absl::StatusOr<std::unique_ptr<Optimizer>> CreateOptimizer(absl::string_view name,
                                                           const OptimizerConfig& config,
                                                           std::vector<NamedTensor> parameters);

// Sorted.
std::vector<std::string> OptimizerNames();

// InvalidArgument names a parameter that is listed twice, or that is not a floating-point leaf
// which requires a gradient.
absl::Status CheckTrainable(const std::vector<NamedTensor>& parameters);

// Whether a loop over a plain float array reaches the elements: CPU, float32, contiguous.
bool IsPlain(const at::Tensor& tensor);

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_OPTIMIZER_H_
