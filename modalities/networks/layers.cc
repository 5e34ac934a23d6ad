#include "modalities/networks/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "sdk/base/fresh_weights.h"

namespace unival {
namespace {

constexpr double kEpsilon = 1e-5;

std::vector<int64_t> WeightShape(const ConvolutionShape& shape) {
  std::vector<int64_t> sizes = {shape.out, shape.in / shape.groups};
  sizes.insert(sizes.end(), shape.kernel.begin(), shape.kernel.end());
  return sizes;
}

}  // namespace

at::Tensor Relu(at::Tensor x) { return x.relu_(); }

Convolution::Convolution(const ConvolutionShape& shape)
    : stride_(shape.stride), groups_(shape.groups) {
  double fan_out = static_cast<double>(shape.out) / static_cast<double>(shape.groups);
  for (int64_t size : shape.kernel) {
    padding_.push_back(size / 2);
    fan_out *= static_cast<double>(size);
  }
  weight_ = register_parameter(
      "weight", NeedsFreshWeights() ? at::randn(WeightShape(shape)).mul_(std::sqrt(2.0 / fan_out))
                                    : at::empty(WeightShape(shape)));
}

at::Tensor Convolution::forward(const at::Tensor& input) const {
  const std::vector<int64_t> ones(stride_.size(), 1), zeros(stride_.size(), 0);
  return at::convolution(input, weight_, {}, stride_, padding_, ones, false, zeros, groups_);
}

BatchNorm::BatchNorm(int64_t channels) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor BatchNorm::forward(const at::Tensor& input) {
  if (is_training()) num_batches_tracked_.add_(1);
  return at::batch_norm(input, weight_, bias_, running_mean_, running_var_, is_training(), 0.1,
                        kEpsilon, /*cudnn_enabled=*/true);
}

ChannelLayerNorm::ChannelLayerNorm(int64_t channels) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
}

at::Tensor ChannelLayerNorm::forward(const at::Tensor& input) const {
  const at::Tensor last = input.movedim(1, -1);
  return at::layer_norm(last, {last.size(-1)}, weight_, bias_, kEpsilon).movedim(-1, 1);
}

Linear::Linear(int64_t in, int64_t out) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  at::Tensor weight = at::empty({out, in}), bias = at::empty({out});
  if (NeedsFreshWeights()) {
    weight.uniform_(-bound, bound);
    bias.uniform_(-bound, bound);
  }
  weight_ = register_parameter("weight", weight);
  bias_ = register_parameter("bias", bias);
}

at::Tensor Linear::forward(const at::Tensor& input) const {
  return at::linear(input, weight_, bias_);
}

}  // namespace unival
