#include "app/column_pairs.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/names.h"

namespace unival {

absl::StatusOr<std::map<std::string, std::string>> ParseColumnPairs(
    const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> columns;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("--column ", pair, ": expected task_column=record_column"));
    }
    if (!columns.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      return absl::InvalidArgumentError(absl::StrCat("--column ", pair, ": the column \"",
                                                     pair.substr(0, equals), "\" is given twice"));
    }
  }
  return columns;
}

absl::StatusOr<std::map<std::string, std::string>> ParseMediaRoots(
    const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> roots;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    const std::string name = pair.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == pair.size() || !IsId(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--media_root ", pair, ": expected NAME=FOLDER with a name of the form ", kIdForm));
    }
    if (!roots.emplace(name, pair.substr(equals + 1)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--media_root ", pair, ": \"", name, "\" is given twice"));
    }
  }
  return roots;
}

}  // namespace unival
