// A plugin whose second registration fails.
#include "sdk/base/status_macros.h"
#include "sdk/native/plugin.h"

namespace {

absl::StatusOr<std::unique_ptr<unival::Modality>> Create(const unival::ModalityConfig&,
                                                         const unival::HostServices&) {
  return absl::UnimplementedError("never created");
}

absl::Status Register(unival::Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(
      registrar.AddModality({"halfway", "registered before the error", &Create}));
  return registrar.AddModality({"Bad Id", "refused", &Create});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("halfway", "1.0.0", Register)
