// unival: media_files.h - the media files that a user means by one word.
//
//   UNIVAL_ASSIGN_OR_RETURN(const MediaFiles found, ExpandMediaPath("photos/", "image"));
//   for (const std::string& remark : found.remarks) std::cerr << remark << "\n";
#ifndef UNIVAL_TRAINING_DATA_READ_MEDIA_FILES_H_
#define UNIVAL_TRAINING_DATA_READ_MEDIA_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival {

struct MediaFiles {
  std::vector<std::string> paths;
  // One for each folder that holds other files, which are left out: how many, and the first names.
  std::vector<std::string> remarks;
};

// The media files that `path` means. A file means itself, whether it exists or not. A folder means
// the files in it and below it, sorted by path, with an extension of a format of `modality`
// ("image", "audio" or "video"; for other modalities all files); files that systems make and texts
// about the data are left out without a remark. Braces and patterns mean what ExpandDataPath says;
// a folder among the results means its files. NotFound for a folder without such files, and for a
// pattern without a match.
absl::StatusOr<MediaFiles> ExpandMediaPath(const std::string& path, const std::string& modality);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_MEDIA_FILES_H_
