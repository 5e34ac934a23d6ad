#include "modalities/builtin.h"

#include "modalities/builtin_modalities.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::Status RegisterBuiltinModalities(Registrar& registrar) {
#define UNIVAL_MAKE_MODALITY(function) function(),
  for (const ModalityFactory& factory : {UNIVAL_MODALITIES(UNIVAL_MAKE_MODALITY)}) {
    UNIVAL_RETURN_IF_ERROR(registrar.AddModality(factory));
  }
#undef UNIVAL_MAKE_MODALITY
  return absl::OkStatus();
}

}  // namespace unival
