// unival: truncated_media.h - marks the error of a media file that ends too early, for example
// after an incomplete download.
//
//   return TruncatedMedia(MediaError(absl::InvalidArgumentError("a.wav: half of its samples")));
//   if (IsTruncatedMedia(status)) ...
//
// The mark does not cross the C boundary of plugins.
#ifndef UNIVAL_SDK_NATIVE_TRUNCATED_MEDIA_H_
#define UNIVAL_SDK_NATIVE_TRUNCATED_MEDIA_H_

#include <utility>

#include "absl/status/status.h"
#include "sdk/base/status_kind.h"

namespace unival {

constexpr StatusKind kTruncatedMedia("unival/truncated_media");

// The same status, marked. Also use it when a stream looks damaged at a place where it may have
// been cut off.
inline absl::Status TruncatedMedia(absl::Status status) {
  return kTruncatedMedia.Mark(std::move(status));
}

inline bool IsTruncatedMedia(const absl::Status& status) { return kTruncatedMedia.IsOf(status); }

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TRUNCATED_MEDIA_H_
