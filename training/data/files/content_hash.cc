#include "training/data/files/content_hash.h"

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

std::string HashOfBytes(absl::string_view bytes) {
  ContentHash hash;
  hash.Add(bytes);
  return hash.Hex();
}

std::string HashOfParts(const std::vector<std::string>& parts) {
  ContentHash hash;
  for (const std::string& part : parts) hash.Add(part);
  return hash.Hex();
}

}  // namespace unival
