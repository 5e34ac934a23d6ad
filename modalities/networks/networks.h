// unival: modalities/networks/networks.h
//
// The feature encoders that ship: ResNet (images), 3-D ResNeXt (video), PANN (audio), a small CNN
// for cheap models, and plain patches. Weights have the names of the reference's state_dict, so
// checkpoints map one to one.
//
//   EncoderConfig config;
//   config.mutable_small_cnn()->add_widths(32);
//   absl::StatusOr<std::shared_ptr<FeatureEncoder>> encoder = MakeFeatureEncoder(config);
//   at::Tensor features = (*encoder)->forward(images);   // [B, 3, H, W] -> [B, F, h, w]
//
// Fresh weights come from libtorch's default generator: seed it first for reproducible ones.
#ifndef UNIVAL_MODALITIES_NETWORKS_NETWORKS_H_
#define UNIVAL_MODALITIES_NETWORKS_NETWORKS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

class FeatureEncoder;

// InvalidArgument names the field of `config` that does not fit.
absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeFeatureEncoder(const EncoderConfig& config);

// Whether the network takes [B, C, T, H, W].
bool IsVideoEncoder(const EncoderConfig& config);

// Sizes of the feature map, {h, w} or {t, h, w}, for one sample of `input_shape` (pictures {C, H,
// W}, videos {C, T, H, W}, spectrograms {1, frames, bins}). InvalidArgument where the encoder
// cannot take such a sample.
absl::StatusOr<std::vector<int64_t>> FeatureGrid(const EncoderConfig& config,
                                                 const std::vector<int64_t>& input_shape);

// "resnet-3.4.23.3", "small_cnn-32.64": names what the features mean, for feature schemas.
std::string EncoderName(const EncoderConfig& config);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_NETWORKS_H_
