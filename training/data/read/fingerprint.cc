#include "training/data/read/fingerprint.h"

#include "absl/strings/str_cat.h"

namespace unival {

std::string FingerprintOf(const SourceOptions& options) {
  ContentHash hash;
  for (const auto& map : {options.columns, options.media}) {
    hash.Add(absl::StrCat(map.size()));
    for (const auto& [key, value] : map) {
      hash.Add(key);
      hash.Add(value);
    }
  }
  for (const std::string& column : options.media_columns) hash.Add(column);
  hash.Add(absl::StrCat(options.limit));
  return hash.Hex();
}

}  // namespace unival
