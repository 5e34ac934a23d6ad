// unival: class_record.h - what a folder of classes says of its media.
#ifndef UNIVAL_TRAINING_DATA_READ_CLASS_RECORD_H_
#define UNIVAL_TRAINING_DATA_READ_CLASS_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

struct ClassFile {
  std::string folder;     // of the class, by its own name
  std::string name;       // of the file in it
  std::string extension;  // lower case, without dot
  std::string column;     // "image", "audio" or "video"
};

// The media files in the sub-folders of `folder`; each sub-folder is one class. Sorted by folder,
// then by name. Left out are files that systems make (".DS_Store") and texts about the data
// (README, licence). InvalidArgument names a file of any other kind; errors of ListFolder.
// `skipped`, where given, gets what ListFolder skips.
absl::StatusOr<std::vector<ClassFile>> ListClasses(const std::string& folder,
                                                   std::vector<std::string>* skipped = nullptr);

enum class Wanted { kFiles, kFolders };

// The files, or the folders, directly inside `folder`, sorted by name, as full paths. Files that
// systems make are left out. `skipped`, where given, gets "PATH: why" for what is no data: pipes,
// devices, links to nothing, links that lead out of `folder`, folders where files are wanted. Where
// it is not given, InvalidArgument names a link that leads out. Errors of the system.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder, Wanted wanted,
                                                    std::vector<std::string>* skipped = nullptr);

// "garden_gnome" -> "garden gnome".
std::string ClassName(absl::string_view folder);
// "owl" -> "a photo of an owl".
std::string ClassCaption(absl::string_view name);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_CLASS_RECORD_H_
