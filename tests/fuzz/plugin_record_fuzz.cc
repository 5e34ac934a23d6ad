// Any bytes as a plugin file: gives an error with a message, or a record whose texts all end inside
// it; never a crash.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "runtime/loader/plugin_loader.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  const auto info = unival::ParseBuildInfo(content, "fuzz.so");
  if (!info.ok()) {
    Require(!info.status().message().empty());
    return 0;
  }
  Require(std::memchr(info->id, 0, sizeof(info->id)) != nullptr);
  Require(std::memchr(info->fingerprint, 0, sizeof(info->fingerprint)) != nullptr);
  const absl::Status compatible = unival::CheckCompatible(*info, "fuzz.so");
  Require(compatible.ok() || !compatible.message().empty());
  return 0;
}
