// unival: media_bytes.h - the bytes of a media item, for modalities that decode them themselves:
// radar cubes, point clouds, and other formats that the host cannot decode.
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

// The name of a media item in messages: its name, else its path, else "media in memory".
std::string MediaName(const MediaSource& media);

// The bytes of the item, never empty. They are shared with the item if it has them in memory. Media
// errors: NotFound (no such file), InvalidArgument (empty, or not a regular file). Thread-safe.
absl::StatusOr<std::shared_ptr<const std::string>> MediaBytes(const MediaSource& media);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MEDIA_BYTES_H_
