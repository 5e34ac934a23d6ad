// unival: run_folder.h - the folder that a run writes to.
#ifndef UNIVAL_TRAINING_RUN_RUN_FOLDER_H_
#define UNIVAL_TRAINING_RUN_RUN_FOLDER_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

// InvalidArgument names a folder in `output` that a run writes to and that is a link. A run removes
// earlier checkpoints and replaces its model, so such a link in a run that came from elsewhere
// would make it remove what lies behind.
absl::Status CheckOwnFolders(const std::string& output);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RUN_FOLDER_H_
