// unival: output_file.h - the files that a command writes, kept apart from those that it reads.
//
//   UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({metrics, report}, {"train-{0..7}.jsonl", "model"}));
//   ...
//   UNIVAL_RETURN_IF_ERROR(WriteOutputFile(metrics, json));
#ifndef UNIVAL_TRAINING_DATA_FILES_OUTPUT_FILE_H_
#define UNIVAL_TRAINING_DATA_FILES_OUTPUT_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// Which file a path leads to, whatever it is called: two names of one file, through links of both
// kinds, are equal. Only for files whose content writing would replace.
class ExistingFiles {
 public:
  // Of `files`, those that are there and are regular files; empty names are passed over.
  explicit ExistingFiles(const std::vector<std::string>& files);
  bool empty() const { return files_.empty(); }
  // InvalidArgument where `path` is one of them; otherwise nothing is wrong with it.
  absl::Status CheckApart(const std::string& path) const;

 private:
  struct File {
    std::string name;
    uint64_t device, number;
  };
  std::vector<File> files_;
};

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
