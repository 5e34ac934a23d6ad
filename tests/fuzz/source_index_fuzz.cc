// Any bytes as the index of a data file: gives an error, or ranges inside the content with safe
// names; also when the checksum is correct.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sdk/base/path_below.h"
#include "tests/fuzz/require.h"
#include "training/data/files/content_hash.h"
#include "training/data/files/kept_index.h"

using unival::Require;

namespace {

void TryIndex(absl::string_view bytes) {
  const auto index = unival::ParseSourceIndex(bytes);
  if (!index.ok()) {
    Require(!index.status().message().empty());
    return;
  }
  const auto content = static_cast<uint64_t>(index->content_size());
  Require(index->has_lines() != index->has_members());
  uint64_t start = 0;
  for (const uint64_t step : index->lines().steps()) {
    Require(step < content - start);
    start += step;
  }
  for (const auto& skipped : index->lines().skipped()) {
    Require(skipped.record() < static_cast<uint64_t>(index->lines().steps_size()));
    Require(skipped.lines() <= content);
  }
  for (const auto& member : index->members().members()) {
    Require(unival::CheckRelativePath(member.name()).ok());
    Require(member.offset() <= content && member.size() <= content - member.offset());
  }
  Require(unival::ParseSourceIndex(unival::SourceIndexBytes(*index)).ok());
}

// The layout in kept_index.cc: a word, 32 digits, a line end, the message.
constexpr absl::string_view kMagic = "unival-index/1 ";
constexpr size_t kMessage = kMagic.size() + 33;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryIndex(bytes);
  if (size <= kMessage) return 0;
  const std::string message(bytes.substr(kMessage));
  TryIndex(std::string(kMagic) + unival::HashOfBytes(message) + "\n" + message);
  return 0;
}
