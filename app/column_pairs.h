// unival: column_pairs.h - "--column task_column=record_column" and "--media_root name=folder" of
// several commands.
#ifndef UNIVAL_APP_COLUMN_PAIRS_H_
#define UNIVAL_APP_COLUMN_PAIRS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival {

// Task column -> record column. InvalidArgument for a pair without "=".
absl::StatusOr<std::map<std::string, std::string>> ParseColumnPairs(
    const std::vector<std::string>& pairs);

// "--media_root name=folder": name -> folder. InvalidArgument for a pair without "=", a malformed
// name, or a name that is given twice.
absl::StatusOr<std::map<std::string, std::string>> ParseMediaRoots(
    const std::vector<std::string>& pairs);

inline constexpr char kMediaRootHelp[] =
    "name=folder: where \"name:path\" of the records' media lies; may be given several times";

}  // namespace unival

#endif  // UNIVAL_APP_COLUMN_PAIRS_H_
