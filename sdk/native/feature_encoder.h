// unival: feature_encoder.h
//
// A network that turns preprocessed media into a feature map. Any modality may use it. A plugin
// asks the host for a network by its configuration (`HostServices::make_encoder`), or contains its
// own. `Registrar::AddNetwork` registers a type of network, so that others can name it in their
// configuration; docs/plug_points.md shows an example.
//
// Shapes: B batch, C channels, F feature width, h x w feature grid.
#ifndef UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_
#define UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_

#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/encoder_input.h"

namespace unival {

// Single-threaded: one call of `forward` at a time per instance.
class FeatureEncoder : public torch::nn::Module {
 public:
  ~FeatureEncoder() override;

  // `input`: images [B, C, H, W], videos [B, C, T, H, W], spectrograms [B, 1, frames, mel] float32.
  // Returns [B, F, h, w] (2-D), [B, F, t, h, w] (3-D) or [B, F, n, 1] (sequences). Throws
  // c10::Error on a wrong shape.
  virtual at::Tensor forward(const at::Tensor& input) = 0;
  virtual int64_t feature_dim() const = 0;  // F

  // Names the meaning of the features: "resnet-3.4.23.3", "small_cnn-32.64". Part of the modality's
  // feature schema.
  virtual std::string feature_name() const = 0;

  // The shape of one sample that `forward` takes, without B: {C, H, W}, or {C, T, H, W} for video
  // networks. The default uses the frames of a video as channels: {channels * frames, height,
  // width}.
  virtual std::vector<int64_t> InputShape(const EncoderInput& input) const;

  // The size {h, w} or {t, h, w} of the feature map for one sample of `input_shape`.
  // InvalidArgument says which shapes the network accepts.
  virtual absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const = 0;

  // Whether the network normalises its input itself, so that the modality need not.
  virtual bool normalizes_input() const { return false; }
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_
