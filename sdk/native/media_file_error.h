// unival: media_file_error.h - decides whether a file error is caused by the media item or by the
// machine.
#ifndef UNIVAL_SDK_NATIVE_MEDIA_FILE_ERROR_H_
#define UNIVAL_SDK_NATIVE_MEDIA_FILE_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

// `status` is the error of opening or reading a media file, with a code of SystemError
// (sdk/base/files.h). When the file is missing, forbidden, too large, cut off or not a regular
// file, the status is marked with MediaError (sdk/native/media.h): the run counts the item and
// continues. Too many open files, no memory and a failing disk are errors of the machine. They
// would affect every other file too, so the status is not marked and ends the run. OK stays OK.
//
//   absl::StatusOr<std::string> digest = Sha256HexOfFile(media.path);
//   if (!digest.ok()) return MediaFileError(digest.status());
absl::Status MediaFileError(absl::Status status);

// The same from an errno: "PATH: WHAT: the system's reason."
absl::Status MediaFileError(const std::string& path, absl::string_view what, int error);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MEDIA_FILE_ERROR_H_
