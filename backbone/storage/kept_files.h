// unival: kept_files.h - what goes from one model directory into another beside its components.
//
//   std::vector<std::string> notices;
//   UNIVAL_RETURN_IF_ERROR(AddNotices("models/base", &notices));
//   UNIVAL_RETURN_IF_ERROR(WriteNotices(notices, "models/.new.new.1.0"));
//   UNIVAL_RETURN_IF_ERROR(KeepOtherFiles("models/new", "models/.new.new.1.0"));
#ifndef UNIVAL_BACKBONE_STORAGE_KEPT_FILES_H_
#define UNIVAL_BACKBONE_STORAGE_KEPT_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// Holds the notices of the data that a model was made from. Their licences ask that they go with
// everything that is made of it.
constexpr char kNoticeFile[] = "NOTICE.txt";

// Adds the text of the folder's notice file, if it has one. A text that another one contains is
// left out. InvalidArgument for a link that leads out of the folder.
absl::Status AddNotices(const std::string& folder, std::vector<std::string>* notices);

// Writes the notice file of `folder`: the texts one after the other. Nothing where there are none.
absl::Status WriteNotices(const std::vector<std::string>& notices, const std::string& folder);

// Gives `staging`, which is to replace the model directory `old`, the files of `old` that are not
// the model's own: neither its manifest nor one of its components. What `staging` has already
// stays. Files are linked, not moved, so that `old` is whole until it is replaced.
absl::Status KeepOtherFiles(const std::string& old, const std::string& staging);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_KEPT_FILES_H_
