// unival: file_state.h - tells whether a file has changed.
//
//   const std::string before = FileState(path);
//   UNIVAL_ASSIGN_OR_RETURN(const std::string digest, Sha256HexOfFile(path));
//   const bool is_that_file = !before.empty() && FileState(path) == before;
#ifndef UNIVAL_SDK_BASE_FILE_STATE_H_
#define UNIVAL_SDK_BASE_FILE_STATE_H_

#include <string>

namespace unival {

// A text that changes whenever the file changes. It holds the file's device, inode, size, and times
// of modification (mtime) and of change (ctime); no program can set ctime. Empty when there is no
// regular file at `path`. Thread-safe.
std::string FileState(const std::string& path);

// Whether the file at `path` was changed in the last seconds, or at a time that lies in the future
// for this machine's clock. The times of a file system may have steps of two seconds, so a further
// change within that time might not change FileState. False when there is no file.
bool ChangedJustNow(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FILE_STATE_H_
