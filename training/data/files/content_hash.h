// unival: content_hash.h - 128-bit hashes of contents (XXH3). They are fast and find what changed
// by accident; they do not protect against somebody who forges a file.
//
//   ContentHash hash;
//   hash.Add(file->bytes());
//   hash.Hex();
#ifndef UNIVAL_TRAINING_DATA_FILES_CONTENT_HASH_H_
#define UNIVAL_TRAINING_DATA_FILES_CONTENT_HASH_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

struct XXH3_state_s;

namespace unival {

// Single-threaded.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;

  // Adds the length of `bytes` and then `bytes`, so that ("ab", "c") differs from ("a", "bc").
  void Add(absl::string_view bytes);
  // 32 hexadecimal digits.
  std::string Hex() const;

 private:
  XXH3_state_s* state_;
};

// The hash of one content, and of several in their order; 32 hexadecimal digits.
std::string HashOfBytes(absl::string_view bytes);
std::string HashOfParts(const std::vector<std::string>& parts);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_CONTENT_HASH_H_
