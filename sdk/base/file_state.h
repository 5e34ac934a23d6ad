// unival: file_state.h - whether a file is still the one that was looked at.
//
//   const std::string before = FileState(path);
//   UNIVAL_ASSIGN_OR_RETURN(const std::string digest, Sha256HexOfFile(path));
//   const bool is_that_file = !before.empty() && FileState(path) == before;
#ifndef UNIVAL_SDK_BASE_FILE_STATE_H_
#define UNIVAL_SDK_BASE_FILE_STATE_H_

#include <string>

namespace unival {

// Changes when the file does: its device, inode, size, and times of modification and of change, the
// last of which no program can set. Empty where there is no regular file at `path`. Thread-safe.
std::string FileState(const std::string& path);

// Whether the file at `path` was changed in the last seconds, or in the future of this machine's
// clock: as the clocks of file systems tick in steps of up to two seconds, another change might
// leave its state as it is. False where there is no file.
bool ChangedJustNow(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FILE_STATE_H_
