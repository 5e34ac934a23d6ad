#include "modalities/networks/bottleneck.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>

namespace unival {
namespace {

std::vector<int64_t> Cube(int dimensions, int64_t size) {
  return std::vector<int64_t>(dimensions, size);
}

std::shared_ptr<Convolution> MakeConvolution(int dimensions, int64_t in, int64_t out,
                                             int64_t kernel, int64_t stride, int64_t groups = 1) {
  return std::make_shared<Convolution>(
      ConvolutionShape{in, out, Cube(dimensions, kernel), Cube(dimensions, stride), groups});
}

}  // namespace

Downsample::Downsample(const BottleneckShape& shape) {
  conv_ =
      register_module("0", MakeConvolution(shape.dimensions, shape.in, shape.out, 1, shape.stride));
  norm_ = register_module("1", std::make_shared<BatchNorm>(shape.out));
}

at::Tensor Downsample::forward(const at::Tensor& x) { return norm_->forward(conv_->forward(x)); }

Bottleneck::Bottleneck(const BottleneckShape& shape) {
  const int dimensions = shape.dimensions;
  conv1_ = register_module("conv1", MakeConvolution(dimensions, shape.in, shape.mid, 1, 1));
  bn1_ = register_module("bn1", std::make_shared<BatchNorm>(shape.mid));
  conv2_ = register_module(
      "conv2", MakeConvolution(dimensions, shape.mid, shape.mid, 3, shape.stride, shape.groups));
  bn2_ = register_module("bn2", std::make_shared<BatchNorm>(shape.mid));
  conv3_ = register_module("conv3", MakeConvolution(dimensions, shape.mid, shape.out, 1, 1));
  bn3_ = register_module("bn3", std::make_shared<BatchNorm>(shape.out));
  if (shape.stride != 1 || shape.in != shape.out) {
    downsample_ = register_module("downsample", std::make_shared<Downsample>(shape));
  }
}

at::Tensor Bottleneck::forward(const at::Tensor& x) {
  at::Tensor y = Relu(bn1_->forward(conv1_->forward(x)));
  y = Relu(bn2_->forward(conv2_->forward(y)));
  y = bn3_->forward(conv3_->forward(y));
  return Relu(y.add_(downsample_ == nullptr ? x : downsample_->forward(x)));
}

void ResidualEncoder::AddStem(const ConvolutionShape& shape) {
  dimensions_ = static_cast<int>(shape.kernel.size());
  channels_ = shape.out;
  conv1_ = register_module("conv1", std::make_shared<Convolution>(shape));
  bn1_ = register_module("bn1", std::make_shared<BatchNorm>(shape.out));
}

void ResidualEncoder::AddStage(int blocks, const BottleneckShape& first) {
  auto stage = std::make_shared<Sequence<Bottleneck>>();
  BottleneckShape shape = first;
  shape.in = channels_;
  for (int i = 0; i < blocks; ++i) {
    stage->Add(std::make_shared<Bottleneck>(shape));
    shape.in = shape.out;
    shape.stride = 1;
  }
  channels_ = first.out;
  stages_.push_back(register_module("layer" + std::to_string(stages_.size() + 1), stage));
}

void ResidualEncoder::AddClassifier(int64_t classes) {
  if (classes > 0) register_module("fc", std::make_shared<Linear>(channels_, classes));
}

at::Tensor ResidualEncoder::Stem(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == dimensions_ + 2 && input.size(1) == 3, "residual encoder: expected ",
              dimensions_ == 2 ? "[B, 3, H, W]" : "[B, 3, T, H, W]", ", got ", input.sizes());
  const at::Tensor x = Relu(bn1_->forward(conv1_->forward(input)));
  return dimensions_ == 2 ? at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1})
                          : at::max_pool3d(x, {3, 3, 3}, {2, 2, 2}, {1, 1, 1});
}

at::Tensor ResidualEncoder::forward(const at::Tensor& input) {
  at::Tensor x = Stem(input);
  for (const auto& stage : stages_) x = stage->forward(x);
  return x;
}

}  // namespace unival
