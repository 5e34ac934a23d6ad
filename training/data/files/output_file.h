// unival: output_file.h - the files that a command writes, kept apart from those that it reads.
//
//   UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({metrics, report}, {"train-{0..7}.jsonl", "model"}));
//   ...
//   UNIVAL_RETURN_IF_ERROR(WriteOutputFile(metrics, json));
#ifndef UNIVAL_TRAINING_DATA_FILES_OUTPUT_FILE_H_
#define UNIVAL_TRAINING_DATA_FILES_OUTPUT_FILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// Regular files that are there, found again under every name that they have: links of both kinds,
// and ways around. "-" is the standard input.
class ExistingFiles {
 public:
  // Names of nothing, of folders and of devices are passed over.
  explicit ExistingFiles(const std::vector<std::string>& files = {});
  bool empty() const { return names_.empty(); }
  // The name of the one that `path` leads to; null for none of them.
  const std::string* Find(const std::string& path) const;

 private:
  std::map<std::pair<uint64_t, uint64_t>, std::string> names_;  // by device and number there
};

// InvalidArgument: `file` is to be written and is `read`, which would be lost.
absl::Status WouldBeLost(const std::string& file, const std::string& read);
// The same where `read`, a single file, is one of `outputs`; OK where it is not.
absl::Status CheckNotRead(const ExistingFiles& outputs, const std::string& read);

// Checks before the work begins that results can be written to `files`; empty names are passed
// over. `read` is what the command reads: files, paths of data (a pattern means all its files), and
// folders, which stand for every file below them. InvalidArgument names a file that is one of them
// by any name, also through links, with the one that would be lost; PermissionDenied or NotFound
// when a file cannot be created.
absl::Status CheckOutputFiles(const std::vector<std::string>& files,
                              const std::vector<std::string>& read);

// Replaces `file` in one step, so that it is whole or as it was; pipes and devices are written to.
absl::Status WriteOutputFile(const std::string& file, const std::string& text);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_OUTPUT_FILE_H_
