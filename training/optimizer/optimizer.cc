#include "training/optimizer/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/optimizer/adamw_kernel.h"

namespace unival {
namespace {

double SquaredNorm(const at::Tensor& gradient) {
  if (!IsPlain(gradient)) return gradient.to(at::kDouble).square().sum().item<double>();
  return SumOfSquares(gradient.data_ptr<float>(), gradient.numel());
}

void Scale(double factor, at::Tensor gradient) {
  if (IsPlain(gradient)) {
    ScaleElements(gradient.data_ptr<float>(), gradient.numel(), static_cast<float>(factor));
  } else {
    gradient.mul_(factor);
  }
}

}  // namespace

bool IsPlain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

void Optimizer::ZeroGradients() {
  for (NamedTensor& parameter : parameters_) parameter.tensor.mutable_grad().reset();
}

double Optimizer::ScaleAndClipGradients(double scale, double clip_norm) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (const NamedTensor& parameter : parameters_) {
    if (parameter.tensor.grad().defined()) sum += SquaredNorm(parameter.tensor.grad());
  }
  const double norm = std::sqrt(sum) * std::abs(scale);
  if (!std::isfinite(norm)) return norm;
  const bool is_clipped = clip_norm > 0 && norm > clip_norm;
  const double factor = is_clipped ? scale * clip_norm / (norm + 1e-6) : scale;
  if (factor == 1) return norm;
  for (const NamedTensor& parameter : parameters_) {
    if (parameter.tensor.grad().defined()) Scale(factor, parameter.tensor.grad());
  }
  return norm;
}

absl::Status CheckTrainable(const std::vector<NamedTensor>& parameters) {
  std::set<std::string> names;
  for (const NamedTensor& parameter : parameters) {
    const std::string& name = parameter.name;
    const at::Tensor& tensor = parameter.tensor;
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("optimizer: parameter \"", name, "\" is listed twice"));
    }
    const bool is_trainable = tensor.defined() && tensor.is_floating_point() &&
                              tensor.requires_grad() && tensor.is_leaf();
    if (!is_trainable) {
      return absl::InvalidArgumentError(absl::StrCat(
          "optimizer: parameter \"", name,
          "\" is not a floating-point leaf that requires a gradient; freeze it or leave it out"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Optimizer>> CreateOptimizer(absl::string_view name,
                                                           const OptimizerConfig& config,
                                                           std::vector<NamedTensor> parameters) {
  UNIVAL_ASSIGN_OR_RETURN(const OptimizerType* type, Registered<OptimizerType>::Find(name));
  UNIVAL_RETURN_IF_ERROR(CheckTrainable(parameters));
  return type->create(config, std::move(parameters));
}

std::vector<std::string> OptimizerNames() { return Registered<OptimizerType>::Names(); }

}  // namespace unival
