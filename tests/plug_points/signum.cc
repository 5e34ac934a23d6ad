// The optimizer "signum" for tests: steps by the sign of the momentum. This file is all that a new
// optimizer needs (docs/plug_points.md).

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/optimizer/optimizer.h"
#include "training/optimizer/options.h"

namespace unival {
namespace {

class Signum : public Optimizer {
 public:
  Signum(double momentum, std::vector<NamedTensor> parameters)
      : Optimizer(std::move(parameters)), momentum_(momentum) {
    for (const NamedTensor& parameter : this->parameters()) {
      means_[parameter.name] = at::zeros_like(parameter.tensor.detach());
    }
  }

  absl::Status Step(double learning_rate) override {
    return CatchTorch("signum step", [&] {
      const at::NoGradGuard no_grad;
      for (const NamedTensor& parameter : parameters()) {
        at::Tensor tensor = parameter.tensor;
        if (!tensor.grad().defined()) continue;
        at::Tensor& mean = means_[parameter.name];
        mean.mul_(momentum_).add_(tensor.grad(), 1 - momentum_);
        tensor.sub_(mean.sign(), learning_rate);
      }
    });
  }

  TensorState State() const override { return means_; }

  absl::Status LoadState(const TensorState& state) override {
    for (const auto& [name, mean] : means_) {
      const auto stored = state.find(name);
      if (stored == state.end() || stored->second.sizes() != mean.sizes()) {
        return absl::InvalidArgumentError(absl::StrCat("signum: no mean for ", name));
      }
    }
    if (state.size() != means_.size()) return absl::InvalidArgumentError("signum: surplus means");
    for (auto& [name, mean] : means_) mean.copy_(state.at(name));
    return absl::OkStatus();
  }

 private:
  const double momentum_;
  TensorState means_;
};

absl::StatusOr<std::unique_ptr<Optimizer>> Create(const OptimizerConfig& config,
                                                  std::vector<NamedTensor> parameters) {
  UNIVAL_RETURN_IF_ERROR(CheckOptions("option", config.option, {"momentum"}));
  const auto momentum = config.option.find("momentum");
  return std::make_unique<Signum>(momentum == config.option.end() ? 0.9 : momentum->second,
                                  std::move(parameters));
}

const Registered<OptimizerType> kSignum({"signum", "Steps by the sign of the momentum", &Create});

}  // namespace
}  // namespace unival
