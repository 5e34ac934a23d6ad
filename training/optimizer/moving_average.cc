#include "training/optimizer/moving_average.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

at::Tensor CopyOf(const at::Tensor& tensor) {
  const at::Tensor source = tensor.detach();
  return source.is_floating_point() ? source.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true)
                                    : source.clone();
}

}  // namespace

absl::StatusOr<std::unique_ptr<MovingAverage>> MovingAverage::Create(
    const MovingAverageConfig& config, std::vector<NamedTensor> tensors) {
  if (!(config.decay >= 0 && config.decay < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("moving average: expected a decay in [0, 1), got ", config.decay));
  }
  return std::unique_ptr<MovingAverage>(new MovingAverage(config, std::move(tensors)));
}

MovingAverage::MovingAverage(const MovingAverageConfig& config, std::vector<NamedTensor> tensors)
    : config_(config), tensors_(std::move(tensors)) {
  for (const NamedTensor& tensor : tensors_) averages_.push_back(CopyOf(tensor.tensor));
}

void MovingAverage::Update(int64_t update) {
  const at::NoGradGuard no_grad;
  const double decay = update < config_.start_update ? 0 : config_.decay;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const at::Tensor& value = tensors_[i].tensor;
    if (value.is_floating_point() && decay > 0) {
      averages_[i].mul_(decay).add_(value.to(at::kFloat), 1 - decay);
    } else {
      averages_[i].copy_(value);
    }
  }
}

void MovingAverage::Swap() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const at::Tensor value = CopyOf(tensors_[i].tensor);
    tensors_[i].tensor.copy_(averages_[i]);
    averages_[i].copy_(value);
  }
}

TensorState MovingAverage::State() const {
  TensorState state;
  for (size_t i = 0; i < tensors_.size(); ++i) state[tensors_[i].name] = averages_[i];
  return state;
}

absl::Status MovingAverage::LoadState(const TensorState& state) {
  for (const NamedTensor& tensor : tensors_) {
    const auto stored = state.find(tensor.name);
    if (stored == state.end() || stored->second.sizes() != tensor.tensor.sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat("moving average: \"", tensor.name, "\" is ",
                       stored == state.end() ? "missing" : "of another shape than the tensor"));
    }
  }
  if (state.size() != tensors_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("moving average: expected ", tensors_.size(), " tensors, got ", state.size()));
  }
  for (size_t i = 0; i < tensors_.size(); ++i) averages_[i].copy_(state.at(tensors_[i].name));
  return absl::OkStatus();
}

}  // namespace unival
