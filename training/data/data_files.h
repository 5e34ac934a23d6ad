// unival: data_files.h - the files that one path of data means.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto files, ExpandDataPath("cc/shard-{0000..0127}.tar"));
#ifndef UNIVAL_TRAINING_DATA_DATA_FILES_H_
#define UNIVAL_TRAINING_DATA_DATA_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival {

// The most files that one path may mean.
constexpr size_t kMaxDataFiles = 100000;

// The longest path with braces or patterns, and the most that the names it means may have together,
// in bytes.
constexpr size_t kMaxDataPath = size_t{256} << 10;
constexpr size_t kMaxDataNames = size_t{64} << 20;

// What is there under the very name `path`, or "-", is meant by itself, whatever characters it has.
// Else braces are expanded, "{0000..0127}" to numbers with as many digits, "{a,b}" to its parts,
// several of them to all combinations in order; then "*", "?" and "[a-z]" to the names that there
// are, sorted. NotFound names the file that is missing, or a pattern that fits none;
// InvalidArgument a range that is none, a path or names that are too long, or more than
// kMaxDataFiles files; a long path is cut in messages.
absl::StatusOr<std::vector<std::string>> ExpandDataPath(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_DATA_FILES_H_
