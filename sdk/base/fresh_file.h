// unival: fresh_file.h - a file that another library writes, begun so that it is this program's
// own.
//
//   UNIVAL_RETURN_IF_ERROR(MakeFreshFile("shard.tar.tmp"));
//   archive_write_open_filename(archive, "shard.tar.tmp");
//
// What this program writes itself goes through WriteFileAtomically (files.h).
#ifndef UNIVAL_SDK_BASE_FRESH_FILE_H_
#define UNIVAL_SDK_BASE_FRESH_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

// An empty regular file at `path`. What had that name is removed: a link there, which somebody may
// have put into a folder that was downloaded, is never followed. Errors as SystemError (files.h).
absl::Status MakeFreshFile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FRESH_FILE_H_
