// unival: media_bytes.h - the encoded bytes of a media source, for components that decode them
// themselves.
#ifndef UNIVAL_RUNTIME_MEDIA_BYTES_H_
#define UNIVAL_RUNTIME_MEDIA_BYTES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/media.h"

namespace unival {

// What messages call a source.
std::string MediaName(const MediaSource& media);

// The encoded bytes, shared with the source where it holds them. NotFound: no such file;
// InvalidArgument: empty. Thread-safe.
absl::StatusOr<std::shared_ptr<const std::string>> MediaBytes(const MediaSource& media);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_MEDIA_BYTES_H_
