#include "sdk/native/media_file_error.h"

#include <utility>

#include "sdk/base/files.h"
#include "sdk/native/media.h"

namespace unival {

absl::Status MediaFileError(absl::Status status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kResourceExhausted:  // larger than what is read: nothing was written
    case absl::StatusCode::kDataLoss:           // cut while it was read
      return MediaError(std::move(status));
    default:
      return status;
  }
}

absl::Status MediaFileError(const std::string& path, absl::string_view what, int error) {
  return MediaFileError(SystemError(path, what, error));
}

}  // namespace unival
