#include "modalities/networks/small_encoders.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rsqrt.h>

namespace unival {
namespace {

// [B, C, H, W] with the column and the row, both in [-1, 1], as two more channels.
at::Tensor WithCoordinates(const at::Tensor& x) {
  const at::Tensor columns = at::linspace(-1, 1, x.size(3), x.options()).view({1, 1, 1, -1});
  const at::Tensor rows = at::linspace(-1, 1, x.size(2), x.options()).view({1, 1, -1, 1});
  const std::vector<int64_t> shape = {x.size(0), 1, x.size(2), x.size(3)};
  return at::cat({x, columns.expand(shape), rows.expand(shape)}, 1);
}

int64_t HalvedUpwards(int64_t size, int times) {
  for (int i = 0; i < times; ++i) size = (size + 1) / 2;
  return size;
}

}  // namespace

RefinementBlock::RefinementBlock(int64_t channels) {
  const ConvolutionShape shape{channels, channels, {3, 3}, {1, 1}};
  conv1_ = register_module("conv1", std::make_shared<Convolution>(shape));
  bn1_ = register_module("bn1", std::make_shared<BatchNorm>(channels));
  conv2_ = register_module("conv2", std::make_shared<Convolution>(shape));
  bn2_ = register_module("bn2", std::make_shared<BatchNorm>(channels));
}

at::Tensor RefinementBlock::forward(const at::Tensor& x) {
  const at::Tensor inner = Relu(bn1_->forward(conv1_->forward(x)));
  return Relu(bn2_->forward(conv2_->forward(inner)).add_(x));
}

SmallCnn::SmallCnn(const SmallCnnEncoder& config)
    : in_channels_(config.in_channels()),
      feature_dim_(config.widths(config.widths_size() - 1)),
      flatten_(config.flatten_height()),
      coordinates_(config.coordinate_channels()) {
  int64_t channels = in_channels_ + (coordinates_ ? 2 : 0);
  for (int i = 0; i < config.widths_size(); ++i) {
    const int64_t width = config.widths(i);
    const int64_t kernel = i == 0 ? 5 : 3;
    const std::string index = std::to_string(i);
    convs_.push_back(
        register_module("conv" + index, std::make_shared<Convolution>(ConvolutionShape{
                                            channels, width, {kernel, kernel}, {2, 2}})));
    norms_.push_back(register_module("bn" + index, std::make_shared<BatchNorm>(width)));
    channels = width;
  }
  refine_ = register_module("refine", std::make_shared<Sequence<RefinementBlock>>());
  for (int i = 0; i < config.refinements(); ++i) {
    refine_->Add(std::make_shared<RefinementBlock>(channels));
  }
  if (flatten_) {
    const int64_t bins = HalvedUpwards(config.spectrogram_bins(), config.widths_size());
    fold_ = register_module("fold", std::make_shared<Linear>(channels * bins, channels));
  }
  norm_ = register_module("norm", std::make_shared<ChannelLayerNorm>(channels));
}

at::Tensor SmallCnn::forward(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == 4 && input.size(1) == in_channels_, "small_cnn: expected [B, ",
              in_channels_, ", H, W], got ", input.sizes());
  at::Tensor x = coordinates_ ? WithCoordinates(input) : input;
  for (size_t i = 0; i < convs_.size(); ++i) {
    x = Relu(norms_[i]->forward(convs_[i]->forward(x)));
  }
  x = refine_->forward(x);
  if (flatten_) {
    // [B, C, frames, bins] -> [B, frames, C * bins] -> [B, C, frames, 1]
    x = fold_->forward(x.transpose(1, 2).flatten(2)).transpose(1, 2).unsqueeze(-1);
  }
  return norm_->forward(x);
}

Patches::Patches(const PatchEncoder& config)
    : channels_(config.in_channels()), height_(config.height()), width_(config.width()) {}

at::Tensor Patches::forward(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == 4 && input.size(1) == channels_ && input.size(2) % height_ == 0 &&
                  input.size(3) % width_ == 0,
              "patches: expected [B, ", channels_, ", a multiple of ", height_, ", a multiple of ",
              width_, "], got ", input.sizes());
  const int64_t rows = input.size(2) / height_, columns = input.size(3) / width_;
  const at::Tensor patches =
      input.reshape({input.size(0), channels_, rows, height_, columns, width_})
          .permute({0, 1, 3, 5, 2, 4})
          .reshape({input.size(0), feature_dim(), rows, columns});
  return patches * at::rsqrt(patches.square().mean(1, /*keepdim=*/true) + 1);
}

}  // namespace unival
