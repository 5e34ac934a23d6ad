#include "modalities/io/mpeg_frames.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

uint8_t At(absl::string_view head, size_t at) { return static_cast<uint8_t>(head[at]); }

// Bytes of the MPEG audio frame that begins at `at`, 0 when none does (ISO/IEC 11172-3, 2.4.1.3 and
// 13818-3).
int64_t MpegFrameBytes(absl::string_view head, size_t at) {
  constexpr int kRates[] = {44100, 48000, 32000};
  constexpr int kKilobits[5][15] = {
      {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},  // version 1, layer 1
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},     // version 1, layer 2
      {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},      // version 1, layer 3
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},     // later, layer 1
      {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};         // later, others
  if (at + 4 > head.size() || At(head, at) != 0xff || (At(head, at + 1) & 0xe0) != 0xe0) return 0;
  const int version = At(head, at + 1) >> 3 & 3, layer = 4 - (At(head, at + 1) >> 1 & 3);
  const int rate_index = At(head, at + 2) >> 2 & 3, bits_index = At(head, at + 2) >> 4;
  if (version == 1 || layer == 4 || rate_index == 3 || bits_index == 0 || bits_index == 15)
    return 0;
  const bool first = version == 3;
  const int rate = kRates[rate_index] >> (first ? 0 : version == 2 ? 1 : 2);
  const int row = first ? layer - 1 : layer == 1 ? 3 : 4;
  const int bits = kKilobits[row][bits_index] * 1000, padding = At(head, at + 2) >> 1 & 1;
  if (layer == 1) return (12 * bits / rate + padding) * 4;
  return (!first && layer == 3 ? 72 : 144) * bits / rate + padding;
}

// Bytes of the AAC frame that begins at `at`, 0 when none does (ISO/IEC 13818-7, 6.2).
int64_t AdtsFrameBytes(absl::string_view head, size_t at) {
  constexpr int64_t kHead = 7;
  if (at + kHead > head.size() || At(head, at) != 0xff || (At(head, at + 1) & 0xf6) != 0xf0)
    return 0;
  const int64_t bytes =
      (At(head, at + 3) & 3) << 11 | At(head, at + 4) << 3 | At(head, at + 5) >> 5;
  return bytes > kHead ? bytes : 0;
}

// How frames of a stream are told.
struct FrameKind {
  int64_t (*bytes)(absl::string_view head, size_t at);
  size_t head_bytes;
  uint8_t same;     // bits of the third byte that do not change within a stream
  int64_t longest;  // bytes of a frame
};
constexpr FrameKind kMpeg = {&MpegFrameBytes, 4, 0x0c, 4096},
                    kAdts = {&AdtsFrameBytes, 7, 0xfc, 8192};

// Frames of one stream that follow each other.
struct Run {
  int frames = 0;  // the last of them may reach beyond what is there
  size_t end = 0;  // where the next one would begin
};

// Whether the second byte says the same, but for whether a checksum follows.
bool IsSameStream(absl::string_view left, absl::string_view right) {
  return (At(left, 1) ^ At(right, 1)) < 2;
}

Run FramesAt(const FrameKind& kind, absl::string_view head, size_t first) {
  Run run{0, first};
  for (int64_t bytes = 0; (bytes = kind.bytes(head, run.end)) > 0; ++run.frames) {
    const bool is_same = IsSameStream(head.substr(run.end), head.substr(first)) &&
                         ((At(head, run.end + 2) ^ At(head, first + 2)) & kind.same) == 0;
    if (!is_same) break;
    run.end += static_cast<size_t>(bytes);
    if (run.end > head.size()) return {run.frames + 1, run.end};
  }
  return run;
}

// Fewer frames than this may look so by chance.
constexpr int kSureFrames = 4;

bool HasSureFrames(const FrameKind& kind, absl::string_view head) {
  constexpr size_t kMostBefore = 2048;
  for (size_t at = 1; at < kMostBefore && at + kind.head_bytes <= head.size(); ++at) {
    const Run run = FramesAt(kind, head, at);
    // With one more where the last of them ends with `head`.
    if (run.frames + (run.frames > 0 && run.end == head.size() ? 1 : 0) >= kSureFrames) return true;
  }
  return false;
}

// Whether `rest`, which follows a frame, is the beginning of the head of one like it.
bool IsCutHead(const FrameKind& kind, absl::string_view rest, absl::string_view frame) {
  return !rest.empty() && rest.size() < kind.head_bytes && At(rest, 0) == 0xff &&
         (rest.size() < 2 || IsSameStream(rest, frame));
}

// Whether the last frame in `tail`, the end of a stream or all of it, is cut. What follows whole
// frames and is none does not matter.
bool IsLastFrameCut(const FrameKind& kind, absl::string_view tail, bool is_all) {
  bool is_cut = false;
  for (size_t at = 0; at + kind.head_bytes <= tail.size();) {
    const Run run = FramesAt(kind, tail, at);
    if (run.frames < kSureFrames && (at > 0 || !is_all || run.frames == 0)) {
      ++at;
      continue;
    }
    is_cut = run.end > tail.size() || IsCutHead(kind, tail.substr(run.end), tail.substr(at));
    at = run.end;
  }
  return is_cut;
}

absl::Status CheckLastFrame(const FrameKind& kind, const char* name, const ContainerFile& file) {
  const int64_t tail = (kSureFrames + 1) * kind.longest;
  const int64_t begin = std::max(file.begin, file.end - tail);
  const std::string bytes = file.reader.Text(begin, file.end - begin);
  if (!IsLastFrameCut(kind, bytes, begin == file.begin)) return absl::OkStatus();
  return TruncatedMedia(Unexpected(
      file, absl::StrCat("a truncated ", name, ", cut in its last frame"), kTruncatedRemedy));
}

}  // namespace

// Two frames in a row. The rest of a frame, which a stream was cut in, may stand before them; other
// data, as those of a picture, look like two frames now and then, but not like four.
bool IsMp3(absl::string_view head) {
  const Run run = FramesAt(kMpeg, head, 0);
  if (run.frames + (run.frames > 0 && run.end == head.size() ? 1 : 0) >= 2) return true;
  return HasSureFrames(kMpeg, head) || (run.frames > 0 && run.end >= head.size());
}

// A frame, and another behind it where the file goes on.
bool IsAdts(absl::string_view head) {
  const int64_t bytes = AdtsFrameBytes(head, 0);
  if (bytes > 0 && (bytes >= static_cast<int64_t>(head.size()) - 7 ||
                    AdtsFrameBytes(head, static_cast<size_t>(bytes)) > 0)) {
    return true;
  }
  return HasSureFrames(kAdts, head);
}

absl::Status CheckMp3(const ContainerFile& file) { return CheckLastFrame(kMpeg, "MP3", file); }
absl::Status CheckAdts(const ContainerFile& file) { return CheckLastFrame(kAdts, "AAC", file); }

}  // namespace unival
