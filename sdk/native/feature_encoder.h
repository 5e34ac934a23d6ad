// unival: feature_encoder.h
//
// A network from preprocessed media to a feature map, reusable by any modality: a plugin asks the
// host for one by configuration (`HostServices::make_encoder`) or brings its own. A type of network
// that others may name in their configuration is registered with `Registrar::AddNetwork`;
// docs/plug_points.md shows one.
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

  // What the features mean: "resnet-3.4.23.3", "small_cnn-32.64". Part of the modality's feature
  // schema.
  virtual std::string feature_name() const = 0;

  // The shape of one sample as `forward` takes it, without B: {C, H, W}, or {C, T, H, W} from
  // networks for videos. By default the frames of a video are channels: {channels * frames, height,
  // width}.
  virtual std::vector<int64_t> InputShape(const EncoderInput& input) const;

  // The sizes {h, w} or {t, h, w} of the feature map of one sample of `input_shape`.
  // InvalidArgument says which samples the network takes.
  virtual absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const = 0;

  // Whether its first layer normalises what it gets, so that a modality need not.
  virtual bool normalizes_input() const { return false; }
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_
