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
    case absl::StatusCode::kResourceExhausted:  // the file is too large to read
    case absl::StatusCode::kDataLoss:           // the file was truncated during the read
      return MediaError(std::move(status));
    default:
      return status;
  }
}

absl::Status MediaFileError(const std::string& path, absl::string_view what, int error) {
  return MediaFileError(SystemError(path, what, error));
}

}  // namespace unival
