// unival: system_files.h - what systems and people leave beside data without meaning it as data.
#ifndef UNIVAL_TRAINING_DATA_FILES_SYSTEM_FILES_H_
#define UNIVAL_TRAINING_DATA_FILES_SYSTEM_FILES_H_

#include "absl/strings/string_view.h"

namespace unival {

// Whether some part of a relative path is hidden (".DS_Store", "._1.png", ".ipynb_checkpoints") or
// one of those that systems make ("Thumbs.db", "desktop.ini", "__MACOSX"). Thread-safe.
bool IsSystemPath(absl::string_view path);

// Whether a file is about the data by its name: a README, a licence, a list of checksums, with or
// without an extension of texts. Thread-safe.
bool IsAboutData(absl::string_view path);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_SYSTEM_FILES_H_
