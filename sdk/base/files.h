// unival: files.h - reads whole files, and writes them atomically: a file is complete or unchanged.
//
//   UNIVAL_RETURN_IF_ERROR(WriteFileAtomically("model/manifest.textproto", {text}));
//   UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile("model/manifest.textproto"));
#ifndef UNIVAL_SDK_BASE_FILES_H_
#define UNIVAL_SDK_BASE_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/descriptor.h"

namespace unival {

// Opens a regular file, or a link to one, for reading. Never waits: a named pipe, a device, a
// socket or a folder gives InvalidArgument "PATH: not a regular file" with the kind of file that it
// is. Other errors are those of SystemError. Use this for every path that comes from a user or from
// another file.
absl::StatusOr<Descriptor> OpenRegularFile(const std::string& path);

// The default limit of ReadWholeFile: 1 GiB.
constexpr int64_t kMaxWholeFile = int64_t{1} << 30;

// All bytes of a regular file. Errors are those of OpenRegularFile, and ResourceExhausted for a
// file of more than `max_bytes`; nothing of such a file is read.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          int64_t max_bytes = kMaxWholeFile);

// The same for a descriptor that is open for reading; it may be a pipe. `path` is only used in
// messages.
absl::StatusOr<std::string> ReadToEnd(int descriptor, const std::string& path,
                                      int64_t max_bytes = kMaxWholeFile);

// Reads the `size` bytes at `offset` into `bytes`. DataLoss "PATH: byte N: cut off" when the file
// ends before them: then the file was changed after its size was read. Thread-safe.
absl::Status ReadBytesAt(int descriptor, int64_t offset, char* bytes, int64_t size,
                         const std::string& path);

// Whether a file, a folder or another thing is there. Follows links: false for one that leads
// nowhere. False also where that cannot be found out: a link to itself, a name that is too long, a
// folder that may not be entered.
bool IsThere(const std::string& path);

// Writes the pieces one after the other to a temporary file beside `path`, syncs it, renames it,
// and syncs the directory. On any error `path` stays unchanged and the temporary file is removed.
// The temporary name depends on `path` alone, so the next write replaces what a killed process left
// there. Two writers of one path wait for each other.
absl::Status WriteFileAtomically(const std::string& path,
                                 const std::vector<absl::string_view>& pieces);

// Publishes a finished file that was written under the name `temporary` in the directory of `path`:
// syncs it, renames it to `path`, and syncs the directory. On an error the temporary file stays.
absl::Status PublishFile(const std::string& temporary, const std::string& path);

// Writes the names in a directory to disk (fsync), so that they survive a crash of the machine.
absl::Status SyncDirectory(const std::string& path);

// Creates the folder and its parents where they do not exist yet. Errors are those of SystemError.
absl::Status MakeFolders(const std::string& path);

// An error "PATH: WHAT: REASON" with the system's text for `error`, an errno. Its code is NotFound,
// PermissionDenied, ResourceExhausted (no room, or a limit of file size), InvalidArgument (a folder
// where a file is expected or the reverse, a name that is too long, links that form a cycle) or
// Internal.
absl::Status SystemError(const std::string& path, absl::string_view what, int error);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FILES_H_
