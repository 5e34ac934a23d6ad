// unival: path_below.h - checks paths that are written in files.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::string labels, ResolveBelow("set.textproto", "labels.txt"));
//
// A model, a data set or a template set may come from an untrusted author. The files that it names
// must lie in its own folder. Otherwise its author could make the program read, and show, other
// files of the user.
#ifndef UNIVAL_SDK_BASE_PATH_BELOW_H_
#define UNIVAL_SDK_BASE_PATH_BELOW_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// OK when the text of `path` stays inside the folder that it is relative to: not empty, not
// absolute, no ".." part, no NUL. InvalidArgument otherwise. Does not look at the disk.
absl::Status CheckRelativePath(absl::string_view path);

// The file or folder that `path` means when it is written in `file`: "FOLDER OF FILE/PATH".
// InvalidArgument as CheckRelativePath, and when a symbolic link leads out of the folder of `file`.
// When `file` itself is a link, the folder of its target is allowed too, because some stores keep
// every file as a link. NotFound when nothing is there.
absl::StatusOr<std::string> ResolveBelow(const std::string& file, absl::string_view path);

// The same for a path inside a folder that the user named: "FOLDER/PATH". No link may lead out of
// the folder.
absl::StatusOr<std::string> ResolveBelowFolder(const std::string& folder, absl::string_view path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PATH_BELOW_H_
