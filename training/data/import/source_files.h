// unival: source_files.h - finding the files of a publisher's layout.
#ifndef UNIVAL_TRAINING_DATA_IMPORT_SOURCE_FILES_H_
#define UNIVAL_TRAINING_DATA_IMPORT_SOURCE_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/data/import/import.h"

namespace unival {

// A file of one split, "captions_train2014.json", and the split that its name says, "train2014".
struct SplitFile {
  std::string path, split;
};

// The files BEFORE + SPLIT + AFTER in the first of `folders` (below the source; "" is the source
// itself) that has any which the options ask for: all with "all"; with "train" also those of
// "train2014". Sorted by name. NotFound says what was looked for. InvalidArgument where "train"
// means two years of one data set, which share pictures: the user must say which.
absl::StatusOr<std::vector<SplitFile>> FindSplitFiles(const ImportOptions& options,
                                                      const std::vector<std::string>& folders,
                                                      const std::string& before,
                                                      const std::string& after);

// The first of these files below the source that is there, as a full path. NotFound lists them.
absl::StatusOr<std::string> FindFirst(const ImportOptions& options,
                                      const std::vector<std::string>& paths);

// "FOLDER/NAME.EXTENSION" for all these folders and extensions, folders first.
std::vector<std::string> MediaPaths(const std::vector<std::string>& folders,
                                    const std::string& name,
                                    const std::vector<std::string>& extensions);

// InvalidArgument with the remedy where a text of a table is no UTF-8.
absl::Status CheckTableText(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_SOURCE_FILES_H_
