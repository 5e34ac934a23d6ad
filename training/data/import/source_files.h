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

class RecordWriter;

// A file of one split, "captions_train2014.json", and the split that its name says, "train2014".
struct SplitFile {
  std::string path, split;
};

// The files BEFORE + SPLIT + AFTER in the first of `folders` (below the source; "" is the source
// itself) that has any which the options ask for: all with "all"; with "train" also those of
// "train2014". Sorted by name. NotFound says what was looked for. InvalidArgument where "train"
// means two years of one data set, which share pictures: the user must say which. With "all", a
// split whose media are those of another ("test-dev2015" of "test2015") is left out, and `writer`
// says so.
absl::StatusOr<std::vector<SplitFile>> FindSplitFiles(const ImportOptions& options,
                                                      const std::vector<std::string>& folders,
                                                      const std::string& before,
                                                      const std::string& after,
                                                      RecordWriter& writer);

// A split, and the files below the source that it is met in.
struct KnownSplit {
  std::string split;
  std::vector<std::string> files;
};

// Does the same for a data set whose splits have names of their own: the first file that is there
// of the split that the options ask for, with "all" of each, in this order. NotFound for one that
// is asked for and has no file; InvalidArgument for a split that is not known.
absl::StatusOr<std::vector<SplitFile>> FindKnownSplits(const ImportOptions& options,
                                                       const std::vector<KnownSplit>& known,
                                                       RecordWriter& writer);

// The first of these files below the source that is there, as a full path. NotFound lists them.
absl::StatusOr<std::string> FindFirst(const ImportOptions& options,
                                      const std::vector<std::string>& paths);

// "FOLDER/NAME.EXTENSION" for all these folders and extensions, folders first.
std::vector<std::string> MediaPaths(const std::vector<std::string>& folders,
                                    const std::string& name,
                                    const std::vector<std::string>& extensions);

// The extensions of "video" or another kind of media, first the one that the publisher's own files
// have: the first path is the one that a report of a missing file names.
std::vector<std::string> ExtensionsFrom(const std::string& first, const std::string& kind);

// InvalidArgument with the remedy where a text of a table is no UTF-8.
absl::Status CheckTableText(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_SOURCE_FILES_H_
