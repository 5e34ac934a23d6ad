// unival: little_endian.h
//
// Integers at any address of a byte string, least significant byte first. The caller has checked
// the bounds.
//
//   const uint64_t size = LittleEndian(bytes.substr(42), 4);
#ifndef UNIVAL_RUNTIME_TORCH_FILE_LITTLE_ENDIAN_H_
#define UNIVAL_RUNTIME_TORCH_FILE_LITTLE_ENDIAN_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace unival {

// The first `width` (at most 8) bytes, which must be there.
inline uint64_t LittleEndian(absl::string_view bytes, size_t width) {
  uint64_t value = 0;
  for (size_t i = width; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_LITTLE_ENDIAN_H_
