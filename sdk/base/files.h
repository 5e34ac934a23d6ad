// unival: files.h - whole files read at once, and written so that they are wholly there or not at
// all.
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

// A regular file, or a link to one, open for reading. Never waits: what is a named pipe, a device,
// a socket or a folder is InvalidArgument "PATH: not a regular file", and says what it is. Other
// errors as SystemError. All files that a user or another file names are opened by this.
absl::StatusOr<Descriptor> OpenRegularFile(const std::string& path);

// What ReadWholeFile takes into memory unless its caller knows better: 1 GiB.
constexpr int64_t kMaxWholeFile = int64_t{1} << 30;

// The bytes of a regular file, up to its end. Errors as OpenRegularFile; ResourceExhausted for a
// file of more than `max_bytes`, of which nothing is read then.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          int64_t max_bytes = kMaxWholeFile);

// The same of a descriptor that is open for reading, also of a pipe; `path` is only named in
// messages.
absl::StatusOr<std::string> ReadToEnd(int descriptor, const std::string& path,
                                      int64_t max_bytes = kMaxWholeFile);

// Fills `bytes` with what stands at `offset`. DataLoss "PATH: byte N: cut off" where the file ends
// before, which says that it was changed after its size was taken. Thread-safe.
absl::Status ReadBytesAt(int descriptor, int64_t offset, char* bytes, int64_t size,
                         const std::string& path);

// Writes the pieces one after the other to a temporary file beside `path`, syncs it, renames it,
// and syncs the directory. On any error `path` is as it was and the temporary file is gone. The
// temporary name follows from `path` alone, so what a killed process left there is used up by the
// next write; two writers of one path wait for each other.
absl::Status WriteFileAtomically(const std::string& path,
                                 const std::vector<absl::string_view>& pieces);

// The end of a file that was written under another name in the same directory: syncs it, renames it
// to `path`, and syncs the directory. On an error that file stays where it is.
absl::Status PublishFile(const std::string& temporary, const std::string& path);

// Makes the names in a directory durable.
absl::Status SyncDirectory(const std::string& path);

// The folder, and those above it, where they are not there yet. Errors as SystemError.
absl::Status MakeFolders(const std::string& path);

// "PATH: WHAT: the system's reason for `error`", an errno. NotFound, PermissionDenied,
// ResourceExhausted (no room, or a limit of file size), InvalidArgument (a folder where a file is
// expected or the reverse, a name that is too long, links that lead in a circle) or Internal.
absl::Status SystemError(const std::string& path, absl::string_view what, int error);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FILES_H_
