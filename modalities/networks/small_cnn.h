// unival: modalities/networks/small_cnn.h - a network for models that train on a laptop.
#ifndef UNIVAL_MODALITIES_NETWORKS_SMALL_CNN_H_
#define UNIVAL_MODALITIES_NETWORKS_SMALL_CNN_H_

#include <memory>
#include <string>
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
  explicit SmallCnn(const SmallCnnEncoder& config);  // checked and complete
  at::Tensor forward(const at::Tensor& input) override;
  int64_t feature_dim() const override { return feature_dim_; }
  std::string feature_name() const override { return feature_name_; }
  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override;

 private:
  const std::string feature_name_;
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

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_SMALL_CNN_H_
