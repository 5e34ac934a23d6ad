// The encoder of linear_weights.h in the native tier.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/pixel_unshuffle.h>

#include "sdk/base/status_macros.h"
#include "sdk/native/plugin.h"
#include "tests/integration/tiers/linear_weights.h"

namespace {

class Linear : public unival::Modality {
 public:
  Linear(const std::string& id, const unival::MediaDecoder* media) : media_(media) {
    info_ = {id, "linear_native", "linear/1", kWidth, kGrid * kGrid, unival::PositionKind::kGrid};
    weights_ = at::empty({kPixels, kWidth});
    for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
      for (int64_t feature = 0; feature < kWidth; ++feature)
        weights_[pixel][feature] = LinearWeight(pixel, feature);
    }
  }
  const unival::ModalityInfo& info() const override { return info_; }
  absl::StatusOr<unival::PreprocessedSample> Preprocess(
      const unival::RawSample& sample) const override {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
                            media_->DecodeImage(sample.media, unival::PixelFormat::kGray16));
    return unival::PreprocessedSample{
        {(pixels.permute({2, 0, 1}).to(at::kFloat) - kMean) / kScale}};
  }
  absl::StatusOr<unival::ModalityFeatures> Encode(const unival::PreprocessedBatch& batch) override {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor images, unival::StackSamples(batch, 0));
    unival::ModalityFeatures features = unival::GridFeatures(at::pixel_unshuffle(images, kPatch));
    features.values = at::matmul(features.values, weights_);
    return features;
  }
  std::string preprocessing_fingerprint() const override { return "linear/1"; }

 private:
  const unival::MediaDecoder* const media_;
  unival::ModalityInfo info_;
  at::Tensor weights_;
};

absl::Status Register(unival::Registrar& registrar) {
  return registrar.AddModality(
      {"linear_native", "a linear map of patches",
       [](const unival::ModalityConfig& config, const unival::HostServices& services)
           -> absl::StatusOr<std::unique_ptr<unival::Modality>> {
         return std::unique_ptr<unival::Modality>(new Linear(config.id(), services.media));
       }});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("linear_native", "1.0.0", Register)
