#include "modalities/networks/pann.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "modalities/audio/log_mel.h"
#include "modalities/networks/builtin_networks.h"
#include "modalities/networks/checks.h"
#include "sdk/base/status_macros.h"

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

// Fills in the constants of the spectrogram: those of the modality, where the modality makes it.
void CompleteFrontEnd(const EncoderInput& input, PannEncoder* config) {
  if (input.kind == EncoderInput::Kind::kSpectrogram) {
    *config->mutable_front_end() = input.log_mel;
    config->set_sample_rate_hz(input.filter_rate_hz);
  }
  LogMel& front_end = *config->mutable_front_end();
  if (front_end.window() == 0) front_end.set_window(1024);
  if (front_end.mel_bins() == 0) front_end.set_mel_bins(64);
  if (!front_end.has_min_hz()) front_end.set_min_hz(50);
  if (front_end.max_hz() == 0) front_end.set_max_hz(14000);
  if (config->sample_rate_hz() == 0) config->set_sample_rate_hz(48000);
}

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakePann(const EncoderConfig& encoder,
                                                         const EncoderInput& input) {
  PannEncoder config = encoder.pann();
  if (config.layers() != 6 && config.layers() != 14) {
    return InvalidEncoder("pann.layers: ", config.layers(), ", expected 6 or 14");
  }
  UNIVAL_RETURN_IF_ERROR(CheckRange("pann.unused_classes", config.unused_classes(), 0, 1 << 20));
  CompleteFrontEnd(input, &config);
  const LogMel& front_end = config.front_end();
  UNIVAL_RETURN_IF_ERROR(CheckRange("pann.front_end.window", front_end.window(), 16, 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("pann.front_end.mel_bins", front_end.mel_bins(), 1, 1024));
  return MakeNetwork<Pann>(config);
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
    : feature_name_(absl::StrCat("pann-", config.layers())),
      bins_(config.front_end().mel_bins()),
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

absl::StatusOr<std::vector<int64_t>> Pann::FeatureGrid(
    const std::vector<int64_t>& input_shape) const {
  UNIVAL_RETURN_IF_ERROR(CheckSample(feature_name_, 2, 1, input_shape));
  const size_t halvings = blocks_.size() - (pool_last_ ? 0 : 1);
  return NotEmpty(feature_name_, input_shape,
                  {input_shape[1] >> halvings, input_shape[2] >> halvings});
}

NetworkFactory PannNetwork() { return {"pann", "PANN's Cnn6 and Cnn14 for sounds", &MakePann}; }

}  // namespace unival
