// unival: fingerprint.h - 128-bit content hashes of what a source reads (XXH3).
#ifndef UNIVAL_TRAINING_DATA_FINGERPRINT_H_
#define UNIVAL_TRAINING_DATA_FINGERPRINT_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "training/data/source.h"

struct XXH3_state_s;

namespace unival {

// Single-threaded.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  // Length and bytes, so that ("ab", "c") differs from ("a", "bc").
  void Add(absl::string_view bytes);
  // 32 hexadecimal digits.
  std::string Hex() const;

 private:
  XXH3_state_s* state_;
};

// Of the options that change what records look like; not of the path.
std::string FingerprintOf(const SourceOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FINGERPRINT_H_
