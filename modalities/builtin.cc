#include "modalities/builtin.h"

#include "modalities/audio/audio_modality.h"
#include "modalities/image/image_modality.h"
#include "modalities/video/video_modality.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::Status RegisterBuiltinModalities(Registrar& registrar) {
  const ModalityFactory table[] = {
      {"image", "RGB pictures: PNG, JPEG and what else FFmpeg decodes", &CreateImageModality},
      {"video", "a few frames of a video", &CreateVideoModality},
      {"audio", "speech and sounds as log-mel spectrograms", &CreateAudioModality},
  };
  for (const ModalityFactory& factory : table) {
    UNIVAL_RETURN_IF_ERROR(registrar.AddModality(factory));
  }
  return absl::OkStatus();
}

}  // namespace unival
