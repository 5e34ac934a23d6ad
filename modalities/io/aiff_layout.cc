// Where the lengths of an AIFF or AIFC file stand (Apple, "Audio Interchange File Format", 1.3),
// and what a program that wrote to a pipe left there: nothing, or as much as it takes for the most.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/base/byte_order.h"

namespace unival {
namespace {

// SoX's own length of what it does not know.
bool IsUnknownSound(uint64_t bytes) {
  constexpr uint64_t kSlack = uint64_t{1} << 16, kMuch = 0x7f000000;
  return IsUnknownLength(bytes) || (bytes + kSlack >= kMuch && bytes <= kMuch + kSlack);
}

}  // namespace

Correction CorrectAiff(const ContainerFile& file) {
  const ByteReader& reader = file.reader;
  constexpr int64_t kForm = 12, kHead = 8, kMostBefore = 1 << 16;
  for (int64_t at = file.begin + kForm; at + kHead <= reader.size() && at < kMostBefore;) {
    const std::string head = reader.Text(at, kHead);
    const uint64_t bytes = BigEndian(absl::ClippedSubstr(head, 4), 4);
    const int64_t present = reader.size() - at - kHead;
    if (absl::StartsWith(head, "SSND")) {
      const bool is_there = bytes > 0 && bytes <= static_cast<uint64_t>(present);
      if (is_there || !IsUnknownSound(bytes)) return {};
      // One stretch from the length of the whole to that of the samples.
      const std::string between = reader.Text(file.begin + kHead, at + 4 - file.begin - kHead);
      return {
          file.begin + 4,
          absl::StrCat(BigEndianBytes(static_cast<uint64_t>(reader.size() - file.begin - kHead), 4),
                       between, BigEndianBytes(static_cast<uint64_t>(present), 4))};
    }
    at += kHead + static_cast<int64_t>(bytes + bytes % 2);
  }
  return {};
}

}  // namespace unival
