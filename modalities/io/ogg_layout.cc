// Whether an Ogg file ends with a whole page (RFC 3533). A page says how long it is. That the last
// one is marked as the last is not asked for: recordings of streams never are.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int64_t kHead = 27;

// Bytes of the page whose head and segment table these are; 0 for what is no page, and when the
// head itself is cut.
int64_t PageBytes(const std::string& head) {
  if (!absl::StartsWith(head, "OggS") || static_cast<int64_t>(head.size()) < kHead) return 0;
  const int segments = static_cast<uint8_t>(head[kHead - 1]);
  int64_t bytes = kHead + segments;
  if (static_cast<int64_t>(head.size()) < bytes) return bytes;
  for (int i = 0; i < segments; ++i) bytes += static_cast<uint8_t>(head[kHead + i]);
  return bytes;
}

}  // namespace

absl::Status CheckOgg(const ContainerFile& file) {
  constexpr int64_t kMaxSegments = 255;
  const int64_t size = file.reader.size();
  int64_t at = 0;
  while (at < size) {
    const std::string head = file.reader.Text(at, kHead + kMaxSegments);
    const int64_t bytes = PageBytes(head);
    const bool cut_head = absl::StartsWith(head, "OggS") && bytes == 0;
    if (cut_head || at + bytes > size) {
      return TruncatedMedia(
          Unexpected(file, absl::StrCat("a truncated Ogg file, cut in the page at byte ", at),
                     kTruncatedRemedy));
    }
    if (bytes == 0) break;  // other bytes between or behind pages: for the demuxer to judge
    at += bytes;
  }
  return absl::OkStatus();
}

}  // namespace unival
