// unival: modalities/builtin_modalities.h - the modalities that ship. A new one needs its line
// here, its own folder, where FooModalityFactory is defined, and that folder's line in BUILD.
#ifndef UNIVAL_MODALITIES_BUILTIN_MODALITIES_H_
#define UNIVAL_MODALITIES_BUILTIN_MODALITIES_H_

#include "sdk/native/registry.h"

#define UNIVAL_MODALITIES(MODALITY) \
  MODALITY(ImageModalityFactory)    \
  MODALITY(VideoModalityFactory)    \
  MODALITY(AudioModalityFactory)

namespace unival {

#define UNIVAL_DECLARE_MODALITY(function) ModalityFactory function();
UNIVAL_MODALITIES(UNIVAL_DECLARE_MODALITY)
#undef UNIVAL_DECLARE_MODALITY

}  // namespace unival

#endif  // UNIVAL_MODALITIES_BUILTIN_MODALITIES_H_
