// unival: modalities/networks/pann.h - PANN's Cnn6 and Cnn14 over log-mel spectrograms.
#ifndef UNIVAL_MODALITIES_NETWORKS_PANN_H_
#define UNIVAL_MODALITIES_NETWORKS_PANN_H_

#include <memory>
#include <string>
#include <vector>

#include "modalities/networks/layers.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// Convolutions of one resolution: one 5x5 (Cnn6) or two 3x3 (Cnn14), each with norm and ReLU.
class PannBlock : public torch::nn::Module {
 public:
  PannBlock(int64_t in, int64_t out, int64_t kernel, int convolutions);
  at::Tensor forward(at::Tensor x);

 private:
  std::vector<std::shared_ptr<Convolution>> convs_;
  std::vector<std::shared_ptr<BatchNorm>> norms_;
};

// [B, 1, frames, bins] decibels -> [B, F, frames', bins']: Cnn6 512 channels, both axes / 16; Cnn14
// 2048, both / 32. The spectrogram constants that the reference keeps in its state_dict are buffers
// here too, so that checkpoints map one to one; forward does not use them, because Preprocess
// computes the log-mels.
class Pann : public FeatureEncoder {
 public:
  explicit Pann(const PannEncoder& config);  // front_end filled in
  at::Tensor forward(const at::Tensor& input) override;
  int64_t feature_dim() const override { return feature_dim_; }
  std::string feature_name() const override { return feature_name_; }
  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override;
  bool normalizes_input() const override { return true; }  // bn0

  at::Tensor InputNorm(const at::Tensor& input);        // bn0, over the mel axis
  at::Tensor Block(size_t index, const at::Tensor& x);  // with pooling and dropout

 private:
  void AddFrontEnd(const LogMel& config, int sample_rate_hz);

  const std::string feature_name_;
  int64_t bins_, feature_dim_;
  bool pool_last_;
  std::shared_ptr<BatchNorm> bn0_;
  std::vector<std::shared_ptr<PannBlock>> blocks_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_PANN_H_
