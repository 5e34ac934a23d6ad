// unival: media_bytes.h - a media item as it is stored, for modalities that read it themselves:
// radar cubes, point clouds, what no decoder of the host knows.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto bytes, unival::MediaBytes(sample.media));
//   if (bytes->size() != kCubeBytes) {
//     return unival::MediaError(absl::InvalidArgumentError(absl::StrCat(
//         unival::MediaName(sample.media), ": ", bytes->size(), " bytes, expected ", kCubeBytes)));
//   }
#ifndef UNIVAL_SDK_NATIVE_MEDIA_BYTES_H_
#define UNIVAL_SDK_NATIVE_MEDIA_BYTES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/media.h"

namespace unival {

// What messages call a media item: its name, else its path, else "media in memory".
std::string MediaName(const MediaSource& media);

// The bytes, shared with the item where it holds them, never empty. Media errors: NotFound (no
// such file), InvalidArgument (empty, or no regular file). Thread-safe.
absl::StatusOr<std::shared_ptr<const std::string>> MediaBytes(const MediaSource& media);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MEDIA_BYTES_H_
