#include "modalities/networks/pann.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <string>

#include "modalities/audio/log_mel.h"

namespace unival {
namespace {

constexpr double kDropout = 0.2;

at::Tensor ToTensor(const std::vector<float>& values, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

// Kernels [window / 2 + 1, 1, window] that give one part of the windowed Fourier transform by
// convolution.
template <typename Wave>
at::Tensor FourierKernels(int window, Wave wave) {
  constexpr double kPi = 3.14159265358979323846;
  const std::vector<float> hann = HannWindow(window);
  std::vector<float> kernels;
  for (int64_t row = 0; row <= window / 2; ++row) {
    for (int64_t i = 0; i < window; ++i) {
      const double angle = 2 * kPi * static_cast<double>(row * i % window) / window;
      kernels.push_back(static_cast<float>(wave(angle) * static_cast<double>(hann[i])));
    }
  }
  return ToTensor(kernels, {window / 2 + 1, 1, window});
}

}  // namespace

PannBlock::PannBlock(int64_t in, int64_t out, int64_t kernel, int convolutions) {
  for (int i = 0; i < convolutions; ++i) {
    const std::string index = std::to_string(i + 1);
    convs_.push_back(
        register_module("conv" + index, std::make_shared<Convolution>(ConvolutionShape{
                                            i == 0 ? in : out, out, {kernel, kernel}, {1, 1}})));
    norms_.push_back(register_module("bn" + index, std::make_shared<BatchNorm>(out)));
  }
}

at::Tensor PannBlock::forward(at::Tensor x) {
  for (size_t i = 0; i < convs_.size(); ++i) {
    x = Relu(norms_[i]->forward(convs_[i]->forward(x)));
  }
  return x;
}

Pann::Pann(const PannEncoder& config)
    : bins_(config.front_end().mel_bins()),
      feature_dim_(config.layers() == 14 ? 2048 : 512),
      pool_last_(config.layers() == 6) {
  AddFrontEnd(config.front_end(), config.sample_rate_hz());
  bn0_ = register_module("bn0", std::make_shared<BatchNorm>(bins_));
  int64_t channels = 1;
  for (int64_t width = 64; width <= feature_dim_; width *= 2) {
    const bool deep = config.layers() == 14;
    blocks_.push_back(
        register_module("conv_block" + std::to_string(blocks_.size() + 1),
                        std::make_shared<PannBlock>(channels, width, deep ? 3 : 5, deep ? 2 : 1)));
    channels = width;
  }
  if (config.unused_classes() > 0) {
    register_module("fc1", std::make_shared<Linear>(channels, channels));
    register_module("fc_audioset", std::make_shared<Linear>(channels, config.unused_classes()));
  }
}

void Pann::AddFrontEnd(const LogMel& config, int sample_rate_hz) {
  auto part = [](const char* name, at::Tensor weight) {
    auto module = std::make_shared<torch::nn::Module>();
    module->register_buffer(name, std::move(weight));
    return module;
  };
  auto stft = std::make_shared<torch::nn::Module>();
  stft->register_module(
      "conv_real",
      part("weight", FourierKernels(config.window(), [](double a) { return std::cos(a); })));
  stft->register_module(
      "conv_imag",
      part("weight", FourierKernels(config.window(), [](double a) { return -std::sin(a); })));
  auto spectrogram = std::make_shared<torch::nn::Module>();
  spectrogram->register_module("stft", stft);
  register_module("spectrogram_extractor", spectrogram);
  register_module("logmel_extractor",
                  part("melW", ToTensor(MelFilters(config, sample_rate_hz),
                                        {config.window() / 2 + 1, config.mel_bins()})));
}

at::Tensor Pann::InputNorm(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == 4 && input.size(1) == 1 && input.size(3) == bins_,
              "pann: expected [B, 1, frames, ", bins_, "], got ", input.sizes());
  return bn0_->forward(input.transpose(1, 3)).transpose(1, 3);
}

at::Tensor Pann::Block(size_t index, const at::Tensor& x) {
  at::Tensor y = blocks_[index]->forward(x);
  const bool last = index + 1 == blocks_.size();
  if (!last || pool_last_) y = at::avg_pool2d(y, {2, 2});
  return at::dropout(y, kDropout, is_training());
}

at::Tensor Pann::forward(const at::Tensor& input) {
  at::Tensor x = InputNorm(input);
  for (size_t i = 0; i < blocks_.size(); ++i) x = Block(i, x);
  return x;
}

}  // namespace unival
