// unival: modalities/networks/small_encoders.h - encoders for models that train on a laptop.
#ifndef UNIVAL_MODALITIES_NETWORKS_SMALL_ENCODERS_H_
#define UNIVAL_MODALITIES_NETWORKS_SMALL_ENCODERS_H_

#include <memory>
#include <vector>

#include "modalities/networks/layers.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// Two 3x3 convolutions around a shortcut: relu(x + norm2(conv2(relu(norm1(conv1(x)))))).
class RefinementBlock : public torch::nn::Module {
 public:
  explicit RefinementBlock(int64_t channels);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<Convolution> conv1_, conv2_;
  std::shared_ptr<BatchNorm> bn1_, bn2_;
};

// See SmallCnnEncoder in modality.proto. [B, C, H, W] -> [B, F, H', W'], each stride-2 step halving
// upwards; spectrograms [B, 1, frames, bins] with flatten_height -> [B, F, frames', 1].
class SmallCnn : public FeatureEncoder {
 public:
  explicit SmallCnn(const SmallCnnEncoder& config);  // checked by MakeFeatureEncoder
  at::Tensor forward(const at::Tensor& input) override;
  int64_t feature_dim() const override { return feature_dim_; }

 private:
  int64_t in_channels_;
  int64_t feature_dim_;
  bool flatten_;
  bool coordinates_;
  std::vector<std::shared_ptr<Convolution>> convs_;
  std::vector<std::shared_ptr<BatchNorm>> norms_;
  std::shared_ptr<Sequence<RefinementBlock>> refine_;
  std::shared_ptr<Linear> fold_;  // with flatten_height
  std::shared_ptr<ChannelLayerNorm> norm_;
};

// See PatchEncoder in modality.proto. [B, C, H, W] -> [B, C * h * w, H / h, W / w], channel-major
// within a patch. Throws when H or W is no multiple of the patch.
class Patches : public FeatureEncoder {
 public:
  explicit Patches(const PatchEncoder& config);
  at::Tensor forward(const at::Tensor& input) override;
  int64_t feature_dim() const override { return channels_ * height_ * width_; }

 private:
  int64_t channels_, height_, width_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_SMALL_ENCODERS_H_
