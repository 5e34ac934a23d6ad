// unival: probe_media.h - small media for checks of modalities that bring none of their own.
#ifndef UNIVAL_APP_PLUGIN_PROBE_MEDIA_H_
#define UNIVAL_APP_PLUGIN_PROBE_MEDIA_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/modality.h"

namespace unival {

// Three media items that differ in content and, where the kind allows it, in length. Kinds are
// tried in this order, and the first of which `modality` decodes all three is taken: 8-bit
// pictures, 16-bit pictures, sounds at 16 kHz. NotFound when it decodes none.
absl::StatusOr<std::vector<RawSample>> GenerateProbe(const Modality& modality);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_PROBE_MEDIA_H_
