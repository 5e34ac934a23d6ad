// unival: modalities/networks/networks.h
//
// The encoder networks that ship, in one table: ResNet (images), 3-D ResNeXt (video), PANN (audio),
// a small CNN for cheap models, and plain patches. Each stands in a file of its own, which checks
// its configuration and knows its output (sdk/native/feature_encoder.h). Weights have the names of
// the reference's state_dict, so checkpoints map one to one.
//
//   Registry registry;
//   UNIVAL_RETURN_IF_ERROR(RegisterBuiltinNetworks(registry));
//   EncoderConfig config;
//   config.mutable_small_cnn()->add_widths(32);
//   absl::StatusOr<std::shared_ptr<FeatureEncoder>> encoder =
//       registry.CreateNetwork(config, EncoderInput());
//   at::Tensor features = (*encoder)->forward(images);   // [B, 3, H, W] -> [B, F, h, w]
//
// Fresh weights come from libtorch's default generator: seed it first for reproducible ones.
#ifndef UNIVAL_MODALITIES_NETWORKS_NETWORKS_H_
#define UNIVAL_MODALITIES_NETWORKS_NETWORKS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/native/encoder_input.h"
#include "sdk/native/registry.h"

namespace unival {

class FeatureEncoder;

// AlreadyExists when a name is taken. Allocates and opens nothing.
absl::Status RegisterBuiltinNetworks(Registrar& registrar);

// One of the networks that ship, without a registry. InvalidArgument names the field of `config`
// that does not fit.
absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeFeatureEncoder(const EncoderConfig& config,
                                                                   const EncoderInput& input = {});

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_NETWORKS_H_
