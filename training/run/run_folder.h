// unival: run_folder.h - the folder that a run writes to.
#ifndef UNIVAL_TRAINING_RUN_RUN_FOLDER_H_
#define UNIVAL_TRAINING_RUN_RUN_FOLDER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// InvalidArgument names a folder in `output` that a run writes to and that is a link. A run removes
// earlier checkpoints and replaces its model, so such a link in a run that came from elsewhere
// would make it remove what lies behind.
absl::Status CheckOwnFolders(const std::string& output);

// Whether a run may write to the folder `output`, which is there: an empty one, and with `resume`
// that of a run, which has run.json or checkpoints. FailedPrecondition for one with other files,
// among which a run would write; errors of CheckOwnFolders.
absl::Status CheckRunFolder(const std::string& output, bool resume);

// The files and folders of a run, whether they are there or not.
std::vector<std::string> FilesOfRun(const std::string& output);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RUN_FOLDER_H_
