// unival: modalities/networks/bottleneck.h - what the bottleneck networks for images and videos
// share.
//
// Names as in the reference: conv1, bn1, layer1.0.conv1 ... layer4.22.bn3,
// layerN.0.downsample.{0,1}, fc.
#ifndef UNIVAL_MODALITIES_NETWORKS_BOTTLENECK_H_
#define UNIVAL_MODALITIES_NETWORKS_BOTTLENECK_H_

#include <memory>
#include <vector>

#include "modalities/networks/layers.h"
#include "sdk/native/feature_encoder.h"

namespace unival {

struct BottleneckShape {
  int dimensions = 2;  // 2: images, 3: videos
  int64_t in = 0;
  int64_t mid = 0;
  int64_t out = 0;
  int64_t stride = 1;  // on the middle convolution, all axes
  int64_t groups = 1;
};

// The shortcut of a block that changes shape: a strided 1x1 convolution and its norm, named "0" and
// "1".
class Downsample : public torch::nn::Module {
 public:
  explicit Downsample(const BottleneckShape& shape);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<Convolution> conv_;
  std::shared_ptr<BatchNorm> norm_;
};

class Bottleneck : public torch::nn::Module {
 public:
  explicit Bottleneck(const BottleneckShape& shape);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<Convolution> conv1_, conv2_, conv3_;
  std::shared_ptr<BatchNorm> bn1_, bn2_, bn3_;
  std::shared_ptr<Downsample> downsample_;  // null: identity
};

// Stem, max pooling and stages, without pooling at the end.
class ResidualEncoder : public FeatureEncoder {
 public:
  int64_t feature_dim() const override { return channels_; }
  at::Tensor forward(const at::Tensor& input) override;

  // The output of the stem, for tests.
  at::Tensor Stem(const at::Tensor& input);

 protected:
  void AddStem(const ConvolutionShape& shape);
  void AddStage(int blocks, const BottleneckShape& first);
  void AddClassifier(int64_t classes);
  size_t stages() const { return stages_.size(); }

 private:
  int dimensions_ = 2;
  int64_t channels_ = 0;
  std::shared_ptr<Convolution> conv1_;
  std::shared_ptr<BatchNorm> bn1_;
  std::vector<std::shared_ptr<Sequence<Bottleneck>>> stages_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_BOTTLENECK_H_
