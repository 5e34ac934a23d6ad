// unival: fresh_file.h - creates an empty file safely, for another library to write to.
//
//   UNIVAL_RETURN_IF_ERROR(MakeFreshFile("shard.tar.tmp"));
//   archive_write_open_filename(archive, "shard.tar.tmp");
//
// Files that this program writes itself are written by WriteFileAtomically (files.h).
#ifndef UNIVAL_SDK_BASE_FRESH_FILE_H_
#define UNIVAL_SDK_BASE_FRESH_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

// Creates an empty regular file at `path`. Whatever had that name is removed. A link is never
// followed, because a downloaded folder may contain a link to a file of the user. Errors are those
// of SystemError (files.h).
absl::Status MakeFreshFile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FRESH_FILE_H_
