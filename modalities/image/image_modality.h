// unival: modalities/image/image_modality.h
//
// The modality "image": RGB pictures, resized to one size and normalised, through a feature
// encoder; grid positions.
//
//   id: "image"
//   image { width: 64 height: 64 normalization { mean: 0.5 ... } }
//   encoder { small_cnn { ... } }
//
// Option augment, of training alone: none (default) | photometric (brightness, contrast) | photo
// (also mirrored and shifted) | rand_augment (rand_augment.h, with options of its own). photo, and
// rand_augment without rand_augment_list light, move things: only where no label speaks of places.
#ifndef UNIVAL_MODALITIES_IMAGE_IMAGE_MODALITY_H_
#define UNIVAL_MODALITIES_IMAGE_IMAGE_MODALITY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "sdk/native/modality.h"
#include "sdk/native/registry.h"

namespace unival {

// InvalidArgument names the field or option that does not fit.
absl::StatusOr<std::unique_ptr<Modality>> CreateImageModality(const ModalityConfig& config,
                                                              const HostServices& services);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IMAGE_IMAGE_MODALITY_H_
