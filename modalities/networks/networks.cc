#include "modalities/networks/networks.h"

#include "modalities/networks/pann.h"
#include "modalities/networks/patches.h"
#include "modalities/networks/resnet.h"
#include "modalities/networks/resnext3d.h"
#include "modalities/networks/small_cnn.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/feature_encoder.h"

namespace unival {

absl::Status RegisterBuiltinNetworks(Registrar& registrar) {
  const NetworkFactory table[] = {ResnetNetwork(), Resnext3dNetwork(), PannNetwork(),
                                  SmallCnnNetwork(), PatchesNetwork()};
  for (const NetworkFactory& factory : table) {
    UNIVAL_RETURN_IF_ERROR(registrar.AddNetwork(factory));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeFeatureEncoder(const EncoderConfig& config,
                                                                   const EncoderInput& input) {
  Registry registry;
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinNetworks(registry));
  return registry.CreateNetwork(config, input);
}

}  // namespace unival
