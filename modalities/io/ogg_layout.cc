// Whether an Ogg file ends with a whole page (RFC 3533), and has one codec in all clips that were
// joined in it. A page says how long it is. That the last one is marked as the last is not asked
// for: recordings of streams never are.
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

// Whether the page that begins with `head` is the first of a stream.
bool BeginsStream(absl::string_view head) {
  constexpr size_t kFlags = 5;
  constexpr int kFirstPage = 2;
  return (static_cast<uint8_t>(head[kFlags]) & kFirstPage) != 0;
}

// The sound codec of a stream by its first page; null for any other.
const char* CodecOfStream(absl::string_view head) {
  const size_t segments = static_cast<uint8_t>(head[kHead - 1]);
  const absl::string_view packet = absl::ClippedSubstr(head, kHead + segments);
  if (absl::StartsWith(packet, "OpusHead")) return "Opus";
  if (absl::StartsWith(packet, "\001vorbis")) return "Vorbis";
  return absl::StartsWith(packet, "\177FLAC") ? "FLAC" : nullptr;
}

}  // namespace

absl::Status CheckOgg(const ContainerFile& file) {
  constexpr int64_t kMaxSegments = 255, kCodecMark = 8;
  const int64_t size = file.reader.size();
  absl::string_view first;  // the codec of the first clip
  bool is_first_clip = true;
  int64_t at = 0;
  while (at < size) {
    const std::string head = file.reader.Text(at, kHead + kMaxSegments + kCodecMark);
    const int64_t bytes = PageBytes(head);
    const bool cut_head = absl::StartsWith(head, "OggS") && bytes == 0;
    if (cut_head || at + bytes > size) {
      return TruncatedMedia(
          Unexpected(file, absl::StrCat("a truncated Ogg file, cut in the page at byte ", at),
                     kTruncatedRemedy));
    }
    if (bytes == 0) break;  // other bytes between or behind pages: for the demuxer to judge
    const char* const codec = BeginsStream(head) ? CodecOfStream(head) : nullptr;
    // The streams of one clip all begin before any of them goes on.
    is_first_clip = is_first_clip && BeginsStream(head);
    if (codec != nullptr && is_first_clip && first.empty()) first = codec;
    if (codec != nullptr && !first.empty() && !is_first_clip && first != codec) {
      return Unexpected(file,
                        absl::StrCat("joined clips of different codecs, ", first, " and ", codec),
                        "Give them as files of their own, or convert the whole to one codec.");
    }
    at += bytes;
  }
  return absl::OkStatus();
}

}  // namespace unival
