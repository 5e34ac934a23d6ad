// unival: class_record.h - what a folder of classes says of its media.
#ifndef UNIVAL_TRAINING_DATA_CLASS_RECORD_H_
#define UNIVAL_TRAINING_DATA_CLASS_RECORD_H_

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

// The media files of the sub-folders of `folder`, one of which is one class, sorted by folder and
// name; without what systems leave there, and texts about the data. InvalidArgument for another
// kind of file, and for a link that leads out of its folder, each named; errors of the system.
// `skipped`, where given, gets what ListFolder skips.
absl::StatusOr<std::vector<ClassFile>> ListClasses(const std::string& folder,
                                                   std::vector<std::string>* skipped = nullptr);

enum class Wanted { kFiles, kFolders };

// What is wanted directly inside `folder`, sorted by name, as full paths; not what systems leave
// there. `skipped`, where given, gets "PATH: why" of what is no data: pipes, devices, links to
// nothing, folders where files are wanted. Errors as ListClasses.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder, Wanted wanted,
                                                    std::vector<std::string>* skipped = nullptr);

// "garden_gnome" -> "garden gnome".
std::string ClassName(absl::string_view folder);
// "owl" -> "a photo of an owl".
std::string ClassCaption(absl::string_view name);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CLASS_RECORD_H_
