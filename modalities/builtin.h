// unival: modalities/builtin.h
//
// The modality types that ship, in one table: image, video, audio.
//
//   Registry registry;
//   UNIVAL_RETURN_IF_ERROR(RegisterBuiltinModalities(registry));
//   std::unique_ptr<MediaDecoder> media = NewFfmpegDecoder();
//   HostServices services{media.get(), &MakeFeatureEncoder};
//   auto image = registry.CreateModality(config, services);
#ifndef UNIVAL_MODALITIES_BUILTIN_H_
#define UNIVAL_MODALITIES_BUILTIN_H_

#include "absl/status/status.h"
#include "sdk/native/registry.h"

namespace unival {

// AlreadyExists when a type is taken. Allocates and opens nothing.
absl::Status RegisterBuiltinModalities(Registrar& registrar);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_BUILTIN_H_
