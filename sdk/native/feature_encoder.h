// unival: feature_encoder.h
//
// A network from preprocessed media to a feature map, reusable by any modality: a plugin asks the
// host for one by configuration (`HostServices::make_encoder`) or brings its own.
//
// Shapes: B batch, C channels, F feature width, h x w feature grid.
#ifndef UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_
#define UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_

#include <torch/nn/module.h>

namespace unival {

// Single-threaded: one call of `forward` at a time per instance.
class FeatureEncoder : public torch::nn::Module {
 public:
  ~FeatureEncoder() override;

  // `input`: images [B, C, H, W], videos [B, C, T, H, W], spectrograms [B, 1, frames, mel] float32.
  // Returns [B, F, h, w] (2-D), [B, F, t, h, w] (3-D) or [B, F, n, 1] (sequences). Throws
  // c10::Error on a wrong shape.
  virtual at::Tensor forward(const at::Tensor& input) = 0;
  virtual int64_t feature_dim() const = 0;
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_FEATURE_ENCODER_H_
