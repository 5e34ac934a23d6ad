#include "modalities/networks/small_cnn.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rsqrt.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/networks/builtin_networks.h"
#include "modalities/networks/checks.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// [B, C, H, W] with the column and the row, both in [-1, 1], as two more channels.
at::Tensor WithCoordinates(const at::Tensor& x) {
  const at::Tensor columns = at::linspace(-1, 1, x.size(3), x.options()).view({1, 1, 1, -1});
  const at::Tensor rows = at::linspace(-1, 1, x.size(2), x.options()).view({1, 1, -1, 1});
  const std::vector<int64_t> shape = {x.size(0), 1, x.size(2), x.size(3)};
  return at::cat({x, columns.expand(shape), rows.expand(shape)}, 1);
}

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeSmallCnn(const EncoderConfig& encoder,
                                                             const EncoderInput& input) {
  SmallCnnEncoder config = encoder.small_cnn();
  if (config.in_channels() == 0) {
    config.set_in_channels(static_cast<int>(input.channels * input.frames));
  }
  if (config.flatten_height() && input.kind == EncoderInput::Kind::kSpectrogram) {
    config.set_spectrogram_bins(static_cast<int>(input.width));
  }
  UNIVAL_RETURN_IF_ERROR(CheckRange("small_cnn.in_channels", config.in_channels(), 1, 4096));
  UNIVAL_RETURN_IF_ERROR(CheckSizes("small_cnn.widths", config.widths(), 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("small_cnn.refinements", config.refinements(), 0, 64));
  if (config.flatten_height()) {
    UNIVAL_RETURN_IF_ERROR(
        CheckRange("small_cnn.spectrogram_bins", config.spectrogram_bins(), 1, 4096));
  }
  return MakeNetwork<SmallCnn>(config);
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
    : feature_name_(absl::StrCat("small_cnn-", absl::StrJoin(config.widths(), "."))),
      in_channels_(config.in_channels()),
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

absl::StatusOr<std::vector<int64_t>> SmallCnn::FeatureGrid(
    const std::vector<int64_t>& input_shape) const {
  UNIVAL_RETURN_IF_ERROR(CheckSample(feature_name_, 2, in_channels_, input_shape));
  std::vector<int64_t> grid = HalvedSizes(input_shape, static_cast<int>(convs_.size()));
  if (flatten_) grid[1] = 1;
  return NotEmpty(feature_name_, input_shape, grid);
}

NetworkFactory SmallCnnNetwork() {
  return {"small_cnn", "strided convolutions, for models that train on a laptop", &MakeSmallCnn};
}

}  // namespace unival
