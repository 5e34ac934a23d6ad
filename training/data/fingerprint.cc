#include "training/data/fingerprint.h"

#include <xxhash.h>

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace unival {

ContentHash::ContentHash() : state_(XXH3_createState()) { XXH3_128bits_reset(state_); }

ContentHash::~ContentHash() { XXH3_freeState(state_); }

void ContentHash::Add(absl::string_view bytes) {
  const uint64_t size = bytes.size();
  XXH3_128bits_update(state_, &size, sizeof(size));
  XXH3_128bits_update(state_, bytes.data(), bytes.size());
}

std::string ContentHash::Hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_);
  return absl::StrCat(absl::Hex(hash.high64, absl::kZeroPad16),
                      absl::Hex(hash.low64, absl::kZeroPad16));
}

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
