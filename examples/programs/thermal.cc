// Thermal images as a plugin: 16-bit PNG in hundredths of a kelvin. No network: 8 x 8 patches of
// temperatures are the features, and the host's linear connection learns the rest.
// docs/tutorials/new_modality.md walks through this file.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "sdk/native/plugin.h"
#include "sdk/native/status_macros.h"

namespace {

constexpr int64_t kSide = 64, kPatch = 8;               // pixels
constexpr double kColdest = 253.15, kWarmest = 323.15;  // kelvin, become -1 and 1

class Thermal : public unival::Modality {
 public:
  Thermal(std::string id, const unival::MediaDecoder* media) : media_(media) {
    info_.id = std::move(id);
    info_.type = "thermal";
    info_.feature_schema = "thermal-patches-8x8/1";
    info_.feature_dim = kPatch * kPatch;
    info_.max_positions = (kSide / kPatch) * (kSide / kPatch);
    info_.position_kind = unival::PositionKind::kGrid;
  }

  const unival::ModalityInfo& info() const override { return info_; }

  // Runs on loader threads: decode, resize, scale. [1, 64, 64] float32.
  absl::StatusOr<unival::PreprocessedSample> Preprocess(
      const unival::RawSample& sample) const override {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
                            media_->DecodeImage(sample.media, unival::PixelFormat::kGray16));
    const at::Tensor kelvin = pixels.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat) / 100;
    const at::Tensor resized = at::upsample_bilinear2d(kelvin, {kSide, kSide}, false).squeeze(0);
    return unival::PreprocessedSample{{(resized - kColdest) * (2 / (kWarmest - kColdest)) - 1}};
  }

  // Runs on the compute thread. [B, 1, 64, 64] to features [B, 64, 64] with rows and columns.
  absl::StatusOr<unival::ModalityFeatures> Encode(const unival::PreprocessedBatch& batch) override {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor images, unival::StackSamples(batch, 0));
    return unival::GridFeatures(at::pixel_unshuffle(images, kPatch));
  }

  std::string preprocessing_fingerprint() const override { return "thermal/1"; }

 private:
  const unival::MediaDecoder* const media_;
  unival::ModalityInfo info_;
};

absl::StatusOr<std::unique_ptr<unival::Modality>> Create(const unival::ModalityConfig& config,
                                                         const unival::HostServices& services) {
  if (config.options_size() > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("modality \"", config.id(), "\": has no options"));
  }
  return std::unique_ptr<unival::Modality>(new Thermal(config.id(), services.media));
}

absl::Status Register(unival::Registrar& registrar) {
  return registrar.AddModality({"thermal", "16-bit thermal images in centikelvin", &Create});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("thermal", "0.1.0", Register)
