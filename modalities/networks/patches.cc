#include "modalities/networks/patches.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/rsqrt.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/networks/builtin_networks.h"
#include "modalities/networks/checks.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakePatches(const EncoderConfig& encoder,
                                                            const EncoderInput& input) {
  PatchEncoder config = encoder.patches();
  if (config.in_channels() == 0) {
    config.set_in_channels(static_cast<int>(input.channels * input.frames));
  }
  if (config.width() == 0 && input.kind == EncoderInput::Kind::kSpectrogram) {
    config.set_width(static_cast<int>(input.width));
  }
  UNIVAL_RETURN_IF_ERROR(CheckRange("patches.in_channels", config.in_channels(), 1, 4096));
  UNIVAL_RETURN_IF_ERROR(CheckRange("patches.height", config.height(), 1, 4096));
  UNIVAL_RETURN_IF_ERROR(CheckRange("patches.width", config.width(), 1, 4096));
  return MakeNetwork<Patches>(config);
}

}  // namespace

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

std::string Patches::feature_name() const { return absl::StrCat("patches-", height_, "x", width_); }

std::vector<int64_t> Patches::InputShape(const EncoderInput& input) const {
  std::vector<int64_t> shape = FeatureEncoder::InputShape(input);
  if (input.kind == EncoderInput::Kind::kSpectrogram) {
    shape[1] = (shape[1] + height_ - 1) / height_ * height_;
  }
  return shape;
}

absl::StatusOr<std::vector<int64_t>> Patches::FeatureGrid(
    const std::vector<int64_t>& input_shape) const {
  UNIVAL_RETURN_IF_ERROR(CheckSample(feature_name(), 2, channels_, input_shape));
  if (input_shape[1] % height_ != 0 || input_shape[2] % width_ != 0) {
    return InvalidEncoder("patches: samples of ", absl::StrJoin(input_shape, " x "),
                          " are no multiple of ", height_, " x ", width_);
  }
  return NotEmpty(feature_name(), input_shape, {input_shape[1] / height_, input_shape[2] / width_});
}

NetworkFactory PatchesNetwork() {
  return {"patches", "no network: the pixels of patches are the features", &MakePatches};
}

}  // namespace unival
