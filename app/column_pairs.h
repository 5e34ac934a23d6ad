// unival: column_pairs.h - "--column task_column=record_column" of several commands.
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

}  // namespace unival

#endif  // UNIVAL_APP_COLUMN_PAIRS_H_
