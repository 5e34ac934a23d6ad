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
  // Eight bytes, little endian.
  void UpdateInteger(uint64_t value);
  // The length, then the bytes: two lists of strings never hash alike unless they are equal.
  void UpdateField(absl::string_view bytes);

  // Ends the computation; the object must not be used afterwards.
  std::string HexDigest();

  // Bytes that all objects of this process have hashed so far: tests count passes by it.
  // Thread-safe.
  static uint64_t TotalBytes();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(absl::string_view bytes);

// Errors as SystemError (files.h).
absl::StatusOr<std::string> Sha256HexOfFile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_SHA256_H_
