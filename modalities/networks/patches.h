// unival: modalities/networks/patches.h - no network: the pixels of patches are the features.
#ifndef UNIVAL_MODALITIES_NETWORKS_PATCHES_H_
#define UNIVAL_MODALITIES_NETWORKS_PATCHES_H_

#include <string>
#include <vector>

#include "sdk/native/feature_encoder.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// See PatchEncoder in modality.proto. [B, C, H, W] -> [B, C * h * w, H / h, W / w], channel-major
// within a patch. Throws when H or W is no multiple of the patch.
class Patches : public FeatureEncoder {
 public:
  explicit Patches(const PatchEncoder& config);  // checked and complete
  at::Tensor forward(const at::Tensor& input) override;
  int64_t feature_dim() const override { return channels_ * height_ * width_; }
  std::string feature_name() const override;
  // Spectrograms are lengthened to a multiple of the patch.
  std::vector<int64_t> InputShape(const EncoderInput& input) const override;
  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override;

 private:
  int64_t channels_, height_, width_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_PATCHES_H_
