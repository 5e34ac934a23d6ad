// unival: files.h - whole files read at once, and written so that they are wholly there or not at
// all.
//
//   UNIVAL_RETURN_IF_ERROR(WriteFileAtomically("model/manifest.textproto", {text}));
//   UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile("model/manifest.textproto"));
#ifndef UNIVAL_SDK_BASE_FILES_H_
#define UNIVAL_SDK_BASE_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// The bytes of a file, a pipe or a device, up to its end. Errors as SystemError; a folder is
// InvalidArgument.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// The same of a descriptor that is open for reading; `path` is only named in messages.
absl::StatusOr<std::string> ReadToEnd(int descriptor, const std::string& path);

// Writes the pieces one after the other to a temporary file beside `path`, syncs it, renames it,
// and syncs the directory. On any error `path` is as it was and the temporary file is gone.
absl::Status WriteFileAtomically(const std::string& path,
                                 const std::vector<absl::string_view>& pieces);

// Makes a file's bytes, or the names in a directory, durable.
absl::Status SyncFile(const std::string& path);
absl::Status SyncDirectory(const std::string& path);

// "PATH: WHAT: the system's reason for `error`", an errno. NotFound, PermissionDenied,
// ResourceExhausted (no room), InvalidArgument (a folder) or Internal.
absl::Status SystemError(const std::string& path, absl::string_view what, int error);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FILES_H_
