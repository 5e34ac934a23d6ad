// unival: sha256.h
//
// SHA-256 as lower-case hex, for content hashes of vocabularies, tensors and files.
//
//   Sha256 hash;
//   hash.Update("weights");
//   std::string digest = hash.HexDigest();     // 64 characters
#ifndef UNIVAL_SDK_BASE_SHA256_H_
#define UNIVAL_SDK_BASE_SHA256_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// Single-threaded: one object belongs to one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(const void* data, size_t size);
  void Update(absl::string_view bytes) { Update(bytes.data(), bytes.size()); }
  // Hashes `value` as eight bytes, little endian.
  void UpdateInteger(uint64_t value);
  // Hashes the length, then the bytes. So different lists of strings never give the same input to
  // the hash.
  void UpdateField(absl::string_view bytes);

  // Ends the computation; the object must not be used afterwards.
  std::string HexDigest();

  // Number of bytes that all objects of this process have hashed so far. Tests use it to count how
  // often data is hashed. Thread-safe.
  static uint64_t TotalBytes();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(absl::string_view bytes);

// Errors are those of SystemError (files.h).
absl::StatusOr<std::string> Sha256HexOfFile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_SHA256_H_
