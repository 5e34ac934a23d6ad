// unival: truncated_media.h - the error of media that end too early, as a download that broke off.
//
//   return TruncatedMedia(MediaError(absl::InvalidArgumentError("a.wav: half of its samples")));
//   if (IsTruncatedMedia(status)) ...
//
// The mark stays in this process: it does not come through the C boundary of plugins.
#ifndef UNIVAL_SDK_NATIVE_TRUNCATED_MEDIA_H_
#define UNIVAL_SDK_NATIVE_TRUNCATED_MEDIA_H_

#include <utility>

#include "absl/status/status.h"
#include "sdk/base/status_kind.h"

namespace unival {

constexpr StatusKind kTruncatedMedia("unival/truncated_media");

// The same status, marked. Also for streams that look damaged where they may have been cut.
inline absl::Status TruncatedMedia(absl::Status status) {
  return kTruncatedMedia.Mark(std::move(status));
}

inline bool IsTruncatedMedia(const absl::Status& status) { return kTruncatedMedia.IsOf(status); }

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TRUNCATED_MEDIA_H_
