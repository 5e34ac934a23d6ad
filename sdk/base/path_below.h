// unival: path_below.h - paths that stand in files.
//
//   UNIVAL_ASSIGN_OR_RETURN(const std::string labels, ResolveBelow("set.textproto", "labels.txt"));
//
// A model, a data set, a template set comes from anywhere. What it names lies with it; a path that
// leads elsewhere would make the program read, and tell, what is none of the author's.
#ifndef UNIVAL_SDK_BASE_PATH_BELOW_H_
#define UNIVAL_SDK_BASE_PATH_BELOW_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// OK for a path inside the folder it is relative to, as far as its text says: not empty, not
// absolute, no ".." part, no NUL. InvalidArgument otherwise.
absl::Status CheckRelativePath(absl::string_view path);

// The file or folder that `path`, as it stands in `file`, names: "FOLDER OF FILE/PATH". Beside what
// CheckRelativePath refuses, InvalidArgument when a link on the way leads out of the folder of
// `file`; where `file` itself is a link, the folder that it leads to counts as well, so that stores
// that keep every file as a link go on working. NotFound where nothing is there.
absl::StatusOr<std::string> ResolveBelow(const std::string& file, absl::string_view path);

// The same for a path below a folder that the user named: "FOLDER/PATH". No link may lead out of
// it.
absl::StatusOr<std::string> ResolveBelowFolder(const std::string& folder, absl::string_view path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PATH_BELOW_H_
