// The depth modality as a plugin: 16-bit depth maps in millimetres (PNG, PGM), encoded by an image
// encoder.
//
// A depth map is converted to a colour picture: the hue goes from red (near) over green to blue
// (far); invalid and out-of-range pixels are black. So an encoder that was trained on pictures can
// be used, and only a linear connection has to be learned.
//
// Options: "near_mm" (500) and "far_mm" (5500), the range of distances that get a colour.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/native/plugin.h"
#include "sdk/native/status_macros.h"

namespace {

using unival::HostServices;
using unival::ModalityConfig;

struct Range {
  double near_mm = 500, far_mm = 5500;
};

absl::StatusOr<Range> ParseRange(const ModalityConfig& config) {
  Range range;
  for (const auto& [key, text] : config.options()) {
    double* value = key == "near_mm" ? &range.near_mm : key == "far_mm" ? &range.far_mm : nullptr;
    if (value == nullptr || !absl::SimpleAtod(text, value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("modality \"", config.id(), "\": option ", key, ": \"", text,
                       "\"; expected near_mm or far_mm with a number"));
    }
  }
  const bool fits = range.near_mm >= 0 && range.near_mm < range.far_mm;  // false for NaN
  if (!fits || !std::isfinite(range.far_mm)) {
    return absl::InvalidArgumentError(
        absl::StrCat("modality \"", config.id(), "\": options near_mm ", range.near_mm, ", far_mm ",
                     range.far_mm, "; expected 0 <= near_mm < far_mm"));
  }
  return range;
}

// Depth [1, 1, H, W] float32 millimetres to RGB [1, 3, H, W] in [0, 1]. The hue is red at
// `near_mm`, green halfway, blue at `far_mm`.
at::Tensor PaintDepth(const at::Tensor& depth, const Range& range) {
  const at::Tensor hue = (depth - range.near_mm) * (4.0 / (range.far_mm - range.near_mm));
  const at::Tensor painted = (depth > 0) & (depth <= range.far_mm);
  const at::Tensor clamped = hue.clamp_min(0);
  const at::Tensor rgb =
      at::cat({(2 - clamped).clamp(0, 1), at::minimum(clamped, 4 - clamped).clamp(0, 1),
               (clamped - 2).clamp(0, 1)},
              1);
  return rgb * painted;
}

class DepthModality : public unival::Modality {
 public:
  static absl::StatusOr<std::unique_ptr<unival::Modality>> Create(const ModalityConfig& config,
                                                                  const HostServices& services) {
    UNIVAL_ASSIGN_OR_RETURN(const Range range, ParseRange(config));
    UNIVAL_ASSIGN_OR_RETURN(auto encoder,
                            services.make_encoder(config.encoder(), unival::EncoderInput()));
    if (config.image().width() <= 0 || config.image().height() <= 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "modality \"", config.id(), "\": image.width and image.height ", "must be positive"));
    }
    return std::unique_ptr<unival::Modality>(
        new DepthModality(config, range, services.media, std::move(encoder)));
  }

  const unival::ModalityInfo& info() const override { return info_; }

  absl::StatusOr<unival::PreprocessedSample> Preprocess(
      const unival::RawSample& sample) const override {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
                            media_->DecodeImage(sample.media, unival::PixelFormat::kGray16));
    const at::Tensor depth = pixels.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat);
    // Nearest neighbour: the average of a near and a far pixel would be a distance that no object
    // has.
    const at::Tensor resized =
        at::upsample_nearest2d(depth, {config_.image().height(), config_.image().width()});
    return unival::PreprocessedSample{{(PaintDepth(resized, range_).squeeze(0) - 0.5) / 0.5}};
  }

  absl::StatusOr<unival::ModalityFeatures> Encode(const unival::PreprocessedBatch& batch) override {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor input, unival::StackSamples(batch, 0));
    return unival::GridFeatures(encoder_->forward(input));
  }

  std::shared_ptr<torch::nn::Module> module() override { return encoder_; }

  std::string preprocessing_fingerprint() const override {
    return absl::StrCat("depth/1 ", config_.image().width(), "x", config_.image().height(), " ",
                        range_.near_mm, "..", range_.far_mm);
  }

 private:
  DepthModality(const ModalityConfig& config, const Range& range, const unival::MediaDecoder* media,
                std::shared_ptr<unival::FeatureEncoder> encoder)
      : config_(config), range_(range), media_(media), encoder_(std::move(encoder)) {
    info_.id = config.id();
    info_.type = "depth";
    info_.feature_dim = encoder_->feature_dim();
    info_.position_kind = unival::PositionKind::kGrid;
    info_.feature_schema =
        absl::StrCat("painted-depth-", config.image().width(), "x", config.image().height(), "/1");
  }

  const ModalityConfig config_;
  const Range range_;
  const unival::MediaDecoder* const media_;
  const std::shared_ptr<unival::FeatureEncoder> encoder_;
  unival::ModalityInfo info_;
};

absl::Status Register(unival::Registrar& registrar) {
  return registrar.AddModality(
      {"depth", "16-bit depth maps in millimetres", &DepthModality::Create});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("depth", "0.1.0", Register)
