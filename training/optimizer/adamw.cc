#include "training/optimizer/adamw.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/optimizer/adamw_kernel.h"
#include "training/optimizer/options.h"

namespace unival {
namespace {

constexpr int64_t kGrain = 1 << 16;  // elements that one thread takes at least

absl::Status CheckConfig(const OptimizerConfig& config) {
  for (const auto& [field, beta] :
       {std::pair<const char*, double>{"beta1", config.beta1}, {"beta2", config.beta2}}) {
    if (!(beta >= 0 && beta < 1))
      return FieldError(absl::StrCat("optimizer.", field), "a share in [0, 1)", beta);
  }
  if (!(config.epsilon > 0)) return FieldError("optimizer.epsilon", "above 0", config.epsilon);
  if (!(config.weight_decay >= 0)) {
    return FieldError("optimizer.weight_decay", "0 or more", config.weight_decay);
  }
  return CheckOptions("option", config.option, {});
}

at::Tensor Count(int64_t value) { return at::full({1}, value, at::kLong); }

// `stored`, null where the state has none of that name, as a moment of `parameter`.
absl::StatusOr<at::Tensor> MomentOf(const at::Tensor& parameter, const std::string& name,
                                    const at::Tensor* stored) {
  if (stored == nullptr || stored->sizes() != parameter.sizes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer state: \"", name, "\" is ",
                     stored == nullptr ? "missing" : "of another shape than the parameter",
                     "; the checkpoint is of another plan"));
  }
  return at::zeros_like(parameter, parameter.options().dtype(at::kFloat)).copy_(*stored);
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdamW>> AdamW::Create(const OptimizerConfig& config,
                                                     std::vector<NamedTensor> parameters) {
  UNIVAL_RETURN_IF_ERROR(CheckConfig(config));
  UNIVAL_RETURN_IF_ERROR(CheckTrainable(parameters));
  return std::unique_ptr<AdamW>(new AdamW(config, std::move(parameters)));
}

AdamW::AdamW(const OptimizerConfig& config, std::vector<NamedTensor> parameters)
    : Optimizer(std::move(parameters)), config_(config), moments_(this->parameters().size()) {}

absl::Status AdamW::Step(double learning_rate) {
  return CatchTorch("optimizer step", [&] {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < parameters().size(); ++i) {
      const at::Tensor& gradient = parameters()[i].tensor.grad();
      if (gradient.defined()) Update(learning_rate, parameters()[i].tensor, gradient, &moments_[i]);
    }
    ++updates_;
  });
}

void AdamW::Update(double learning_rate, at::Tensor parameter, const at::Tensor& gradient,
                   Moments* moments) const {
  if (!moments->mean.defined()) {
    moments->mean = at::zeros_like(parameter, parameter.options().dtype(at::kFloat));
    moments->square = at::zeros_like(moments->mean);
  }
  const double count = static_cast<double>(++moments->count);
  const double bias1 = 1 - std::pow(config_.beta1, count);
  const double bias2 = 1 - std::pow(config_.beta2, count);
  const double step_size = learning_rate * std::sqrt(bias2) / bias1;
  const double decay = learning_rate * config_.weight_decay;
  const bool is_plain =
      IsPlain(parameter) && IsPlain(gradient) && IsPlain(moments->mean) && IsPlain(moments->square);
  if (!is_plain) {  // other devices, types and layouts
    const at::Tensor wide = gradient.to(at::kFloat);
    moments->mean.mul_(config_.beta1).add_(wide, 1 - config_.beta1);
    moments->square.mul_(config_.beta2).addcmul_(wide, wide, 1 - config_.beta2);
    const at::Tensor denominator = moments->square.sqrt().add_(config_.epsilon);
    parameter.sub_(parameter * decay).sub_((moments->mean / denominator).mul_(step_size));
    return;
  }
  AdamWFactors factors;
  factors.decay = static_cast<float>(decay);
  factors.beta1 = static_cast<float>(config_.beta1);
  factors.beta2 = static_cast<float>(config_.beta2);
  factors.one_minus_beta1 = static_cast<float>(1 - config_.beta1);
  factors.one_minus_beta2 = static_cast<float>(1 - config_.beta2);
  factors.epsilon = static_cast<float>(config_.epsilon);
  factors.step_size = static_cast<float>(step_size);
  const float* g = gradient.data_ptr<float>();
  float* p = parameter.data_ptr<float>();
  float* m = moments->mean.data_ptr<float>();
  float* v = moments->square.data_ptr<float>();
  at::parallel_for(0, parameter.numel(), kGrain, [&](int64_t begin, int64_t end) {
    UpdateElements(factors, end - begin, g + begin, p + begin, m + begin, v + begin);
  });
  // libtorch did not see the change. The version tells that copies of the old values are outdated.
  parameter.unsafeGetTensorImpl()->bump_version();
}

TensorState AdamW::State() const {
  TensorState state;
  state["step"] = Count(updates_);
  for (size_t i = 0; i < parameters().size(); ++i) {
    const std::string& name = parameters()[i].name;
    const Moments& moments = moments_[i];
    if (moments.mean.defined()) {
      state["exp_avg." + name] = moments.mean;
      state["exp_avg_sq." + name] = moments.square;
    }
    if (moments.count != updates_) state["step." + name] = Count(moments.count);
  }
  return state;
}

absl::Status AdamW::LoadState(const TensorState& state) {
  size_t used = 0;
  const auto find = [&](const std::string& key) -> const at::Tensor* {
    const auto found = state.find(key);
    if (found == state.end()) return nullptr;
    ++used;
    return &found->second;
  };
  const at::Tensor* step = find("step");
  if (step == nullptr || step->numel() != 1) {
    return absl::InvalidArgumentError("optimizer state: no tensor \"step\" of one element");
  }
  const int64_t updates = step->item<int64_t>();
  std::vector<Moments> loaded(parameters().size());
  for (size_t i = 0; i < parameters().size(); ++i) {
    const std::string& name = parameters()[i].name;
    const at::Tensor& parameter = parameters()[i].tensor;
    const at::Tensor* count = find("step." + name);
    loaded[i].count = count != nullptr ? count->item<int64_t>() : updates;
    if (loaded[i].count == 0) continue;
    for (const auto& [kind, moment] :
         {std::pair{"exp_avg.", &loaded[i].mean}, std::pair{"exp_avg_sq.", &loaded[i].square}}) {
      UNIVAL_ASSIGN_OR_RETURN(*moment, MomentOf(parameter, kind + name, find(kind + name)));
    }
  }
  if (used != state.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer state: ", state.size() - used,
                     " tensors belong to no parameter that is trained; the checkpoint is of "
                     "another plan"));
  }
  moments_ = std::move(loaded);
  updates_ = updates;
  return absl::OkStatus();
}

namespace {

absl::StatusOr<std::unique_ptr<Optimizer>> CreateAdamW(const OptimizerConfig& config,
                                                       std::vector<NamedTensor> parameters) {
  return AdamW::Create(config, std::move(parameters));
}

const Registered<OptimizerType> kAdamW({"adamw", "Adam with decoupled weight decay", &CreateAdamW});

}  // namespace
}  // namespace unival
