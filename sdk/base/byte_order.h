// unival: byte_order.h
//
// Reads and writes integers of a fixed byte order in byte strings, such as the content of a file.
// The bytes need no alignment.
//
//   const uint64_t size = LittleEndian(bytes.substr(42), 4);
#ifndef UNIVAL_SDK_BASE_BYTE_ORDER_H_
#define UNIVAL_SDK_BASE_BYTE_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// The integer that the first `width` bytes hold, the most significant byte first. `width` is at
// most 8. Bytes beyond the end count as 0.
inline uint64_t BigEndian(absl::string_view bytes, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value = value << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
  }
  return value;
}

// The same, the least significant byte first.
inline uint64_t LittleEndian(absl::string_view bytes, size_t width) {
  uint64_t value = 0;
  for (size_t i = std::min(width, bytes.size()); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

// The lowest `width` bytes of `value`, the least significant byte first. `width` is at most 8.
inline std::string LittleEndianBytes(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

inline std::string BigEndianBytes(uint64_t value, int width) {
  std::string bytes = LittleEndianBytes(value, width);
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_BYTE_ORDER_H_
