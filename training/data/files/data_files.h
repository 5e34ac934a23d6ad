// unival: data_files.h - the files that one path of data means.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto files, ExpandDataPath("cc/shard-{0000..0127}.tar"));
#ifndef UNIVAL_TRAINING_DATA_FILES_DATA_FILES_H_
#define UNIVAL_TRAINING_DATA_FILES_DATA_FILES_H_

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

// The files that `path` means, in order. A path that exists under exactly this name, or "-", means
// itself, whatever characters it has. Otherwise braces are expanded first: "{0000..0127}" to
// numbers with as many digits, "{a,b}" to its parts, several braces to all combinations in order.
// Then "*", "?" and "[a-z]" are expanded to the names that exist, sorted. Errors: NotFound names a
// missing file, or a pattern that nothing fits; InvalidArgument for a malformed range, a path or
// names that are too long, or more than kMaxDataFiles files. Messages shorten a long path.
absl::StatusOr<std::vector<std::string>> ExpandDataPath(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_DATA_FILES_H_
