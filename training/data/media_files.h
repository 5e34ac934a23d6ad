// unival: media_files.h - the media files that a user means by one word.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto files, ExpandMediaPath("photos/*.png", "image"));
#ifndef UNIVAL_TRAINING_DATA_MEDIA_FILES_H_
#define UNIVAL_TRAINING_DATA_MEDIA_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival {

// A file is itself, whether it is there or not. A folder means the files in it and in its folders,
// sorted by path, whose extension is one of `modality`, where that is "image", "audio" or "video",
// and all for other modalities; not what systems leave there, nor texts about the data. Braces and
// patterns mean what ExpandDataPath says, and folders among them their files. NotFound for a folder
// without such files and for a pattern that fits nothing.
absl::StatusOr<std::vector<std::string>> ExpandMediaPath(const std::string& path,
                                                         const std::string& modality);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_MEDIA_FILES_H_
