// unival: media_file_error.h - whose fault it is when a media file cannot be opened or read.
#ifndef UNIVAL_SDK_NATIVE_MEDIA_FILE_ERROR_H_
#define UNIVAL_SDK_NATIVE_MEDIA_FILE_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

// `status` is what opening or reading a media file gave, with the code of SystemError
// (sdk/base/files.h). A file that is missing, forbidden, too large, cut or no file is one media
// item's fault and is marked so (MediaError, sdk/native/media.h): the run counts it and goes on.
// Too many open files, no memory and a failing disk are the machine's fault: every other file would
// fail in the same way, so the status stays as it is and ends the run. OK stays OK.
//
//   absl::StatusOr<std::string> digest = Sha256HexOfFile(media.path);
//   if (!digest.ok()) return MediaFileError(digest.status());
absl::Status MediaFileError(absl::Status status);

// The same from an errno: "PATH: WHAT: the system's reason."
absl::Status MediaFileError(const std::string& path, absl::string_view what, int error);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MEDIA_FILE_ERROR_H_
