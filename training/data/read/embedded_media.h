// unival: embedded_media.h - media items that stand in a text as base64, as the reference's tables
// have them.
//
//   if (LooksEmbedded(text)) return DecodeEmbedded(text, "train.tsv");
#ifndef UNIVAL_TRAINING_DATA_READ_EMBEDDED_MEDIA_H_
#define UNIVAL_TRAINING_DATA_READ_EMBEDDED_MEDIA_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/native/media.h"

namespace unival {

// Whether `text` is base64, of either alphabet, and no path: it is long, and has no dot, which a
// media file's name has.
bool LooksEmbedded(absl::string_view text);

// The item, called `name` in messages. InvalidArgument for what is no base64.
absl::StatusOr<MediaSource> DecodeEmbedded(absl::string_view text, const std::string& name);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_EMBEDDED_MEDIA_H_
