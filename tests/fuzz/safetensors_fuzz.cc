// Any bytes as a safetensors file: gives an error, or a header whose tensors are inside the file;
// never a crash.
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "backbone/storage/safetensors_header.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view file(reinterpret_cast<const char*>(data), size);
  const auto header = unival::ParseSafetensorsHeader(file);
  if (!header.ok()) {
    Require(!header.status().message().empty());
    return 0;
  }
  int64_t bytes = 0;
  for (const auto& [name, entry] : header->tensors) {
    Require(entry.begin >= 8 && entry.begin <= entry.end);
    Require(entry.end <= static_cast<int64_t>(size));
    int64_t expected = unival::DtypeSize(entry.dtype);
    for (int64_t length : entry.shape) expected *= length;
    Require(entry.end - entry.begin == expected);
    bytes += expected;
  }
  Require(bytes <= static_cast<int64_t>(size));
  return 0;
}
