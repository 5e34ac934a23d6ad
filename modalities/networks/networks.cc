#include "modalities/networks/networks.h"

#include "modalities/networks/builtin_networks.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/feature_encoder.h"

namespace unival {

absl::Status RegisterBuiltinNetworks(Registrar& registrar) {
#define UNIVAL_MAKE_NETWORK(function) function(),
  for (const NetworkFactory& factory : {UNIVAL_NETWORKS(UNIVAL_MAKE_NETWORK)}) {
    UNIVAL_RETURN_IF_ERROR(registrar.AddNetwork(factory));
  }
#undef UNIVAL_MAKE_NETWORK
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeFeatureEncoder(const EncoderConfig& config,
                                                                   const EncoderInput& input) {
  Registry registry;
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinNetworks(registry));
  return registry.CreateNetwork(config, input);
}

}  // namespace unival
