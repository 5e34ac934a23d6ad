// Any bytes as a tar: gives an error, or members inside the archive with safe names.
#include <cstddef>
#include <cstdint>

#include "sdk/base/path_below.h"
#include "tests/fuzz/require.h"
#include "training/data/files/tar_index.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view archive(reinterpret_cast<const char*>(data), size);
  const auto members = unival::ReadTarMembers(archive, "fuzz.tar");
  if (!members.ok()) {
    Require(!members.status().message().empty());
    return 0;
  }
  for (const unival::TarMember& member : *members) {
    Require(unival::CheckRelativePath(member.name).ok());
    Require(member.bytes.empty() ||
            (member.bytes.data() >= archive.data() &&
             member.bytes.data() + member.bytes.size() <= archive.data() + archive.size()));
  }
  return 0;
}
