#include "modalities/io/containers.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "modalities/io/mpeg_frames.h"
#include "sdk/base/byte_order.h"

namespace unival {
namespace {

bool IsMp4(absl::string_view head) {
  const absl::string_view type = absl::ClippedSubstr(head, 4, 4);
  for (const char* known :
       {"ftyp", "styp", "moov", "moof", "mdat", "free", "skip", "wide", "pnot", "sidx", "uuid"}) {
    if (type == known) return true;
  }
  return false;
}

bool IsMatroska(absl::string_view head) { return absl::StartsWith(head, "\x1a\x45\xdf\xa3"); }

bool IsRiff(absl::string_view head, absl::string_view type) {
  return (absl::StartsWith(head, "RIFF") || absl::StartsWith(head, "RF64") ||
          absl::StartsWith(head, "BW64")) &&
         absl::ClippedSubstr(head, 8, 4) == type;
}
bool IsAvi(absl::string_view head) { return IsRiff(head, "AVI "); }
bool IsWav(absl::string_view head) { return IsRiff(head, "WAVE"); }
bool IsOgg(absl::string_view head) { return absl::StartsWith(head, "OggS"); }
bool IsFlac(absl::string_view head) { return absl::StartsWith(head, "fLaC"); }
bool IsGif(absl::string_view head) {
  return absl::StartsWith(head, "GIF87a") || absl::StartsWith(head, "GIF89a");
}
bool IsAiff(absl::string_view head) {
  const absl::string_view type = absl::ClippedSubstr(head, 8, 4);
  return absl::StartsWith(head, "FORM") && (type == "AIFF" || type == "AIFC");
}

// The tag that some programs put before music: "ID3", version, flags, size in four times 7 bits.
int64_t TagBytes(absl::string_view head) {
  if (!absl::StartsWith(head, "ID3") || head.size() < 10) return 0;
  int64_t bytes = 10;
  for (int i = 0; i < 4; ++i) bytes += int64_t{head[6 + i] & 0x7f} << (7 * (3 - i));
  return bytes + ((head[5] & 0x10) != 0 ? 10 : 0);
}

// Whether `count` entries of an APE tag fill the file from `begin` to `end`: bytes of the value,
// flags, a name that ends with 0, the value.
bool AreApeEntries(const ByteReader& reader, int64_t begin, int64_t end, uint64_t count) {
  constexpr int64_t kEntryHead = 8, kLongestName = 256;
  constexpr uint64_t kMostEntries = 65536;
  if (count > kMostEntries) return false;
  for (; count > 0 && begin < end; --count) {
    const std::string entry = reader.Text(begin, std::min(kEntryHead + kLongestName, end - begin));
    const size_t name_end = entry.find('\0', kEntryHead);
    if (name_end == std::string::npos) return false;
    begin += static_cast<int64_t>(name_end + 1 + LittleEndian(entry, 4));
  }
  return count == 0 && begin == end;
}

// Where the APE tag begins whose foot ends at `end`: "APETAGEX", version, bytes without a head,
// number of entries, flags. Some programs write a wrong number of bytes, which would make the last
// frame part of the tag: then only the foot is known to be none of the sound.
int64_t ApeTagBegin(const ByteReader& reader, int64_t end) {
  constexpr int64_t kFoot = 32;
  constexpr char kMark[] = "APETAGEX";
  const std::string foot = reader.Text(end - kFoot, kFoot);
  if (!absl::StartsWith(foot, kMark)) return end;
  const bool has_head = LittleEndian(foot.substr(20), 4) >> 31 != 0;
  const auto bytes = static_cast<int64_t>(LittleEndian(foot.substr(12), 4));
  const int64_t entries = end - bytes;
  if (has_head && absl::StartsWith(reader.Text(entries - kFoot, kFoot), kMark)) {
    return entries - kFoot;
  }
  const uint64_t count = LittleEndian(foot.substr(16), 4);
  const bool fits = entries >= 0 && AreApeEntries(reader, entries, end - kFoot, count);
  return fits ? entries : end - kFoot;
}

// The tags that some programs put behind music: "TAG" and 125 bytes, and before that one of APE.
int64_t TagBytesBehind(const ByteReader& reader) {
  constexpr int64_t kOldTag = 128;
  int64_t end = reader.size();
  if (absl::StartsWith(reader.Text(end - kOldTag, kOldTag), "TAG")) end -= kOldTag;
  return reader.size() - ApeTagBegin(reader, end);
}

}  // namespace

bool IsUnknownLength(uint64_t bytes) {
  constexpr uint64_t kSlack = uint64_t{1} << 16, kHalf = uint64_t{1} << 31,
                     kAll = uint64_t{1} << 32;
  return bytes == 0 || (bytes + kSlack >= kHalf && bytes <= kHalf + kSlack) ||
         (bytes + kSlack >= kAll && bytes < kAll) || bytes >= INT64_MAX - kSlack;
}

// A table, in one piece.
const std::vector<Container>& Containers() {
  static const auto* const kContainers = new std::vector<Container>{
      {"mp4",
       "mov",
       {"h264", "hevc", "libdav1d", "vp9", "mpeg4", "mpeg2video", "mjpeg"},
       {"aac", "alac", "mp3float", "opus", "flac", "pcm_s16le", "pcm_s16be", "pcm_s24le",
        "pcm_s24be", "pcm_f32le"},
       {"mp4", "m4v", "mov", "3gp"},
       {"m4a", "m4b"},
       &IsMp4,
       &CheckMp4},
      {"mkv",
       "matroska",
       {"h264", "hevc", "libdav1d", "vp8", "vp9", "mpeg4", "mpeg2video", "mjpeg", "ffv1",
        "rawvideo"},
       {"opus", "vorbis", "aac", "flac", "mp3float", "pcm_s16le", "pcm_s24le", "pcm_f32le"},
       {"mkv", "webm"},
       {"mka", "weba"},
       &IsMatroska,
       &CheckMatroska},
      {"avi",
       "avi",
       {"mpeg4", "msmpeg4v2", "msmpeg4", "mjpeg", "h264", "rawvideo", "huffyuv", "ffv1"},
       {"pcm_s16le", "pcm_u8", "mp3float"},
       {"avi"},
       {},
       &IsAvi,
       &CheckAvi},
      {"gif", "gif", {"gif"}, {}, {"gif"}, {}, &IsGif, nullptr},
      {"ogg", "ogg", {}, {"vorbis", "opus", "flac"}, {}, {"ogg", "oga", "opus"}, &IsOgg, &CheckOgg},
      {"flac",
       "flac",
       {},
       {"flac"},
       {},
       {"flac"},
       &IsFlac,
       nullptr,
       nullptr,
       /*ends_with_file=*/true},
      {"wav",
       "wav",
       {},
       {"pcm_mulaw", "pcm_alaw", "adpcm_ms", "adpcm_ima_wav", "mp3float"},
       {},
       {},  // WavFormat() has them
       &IsWav,
       &CheckWav,
       &CorrectWav},
      {"aiff",
       "aiff",
       {},
       {"pcm_s8", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s32be", "pcm_f32be"},
       {},
       {"aiff", "aif", "aifc"},
       &IsAiff,
       nullptr,
       &CorrectAiff},
      {"aac",
       "aac",
       {},
       {"aac"},
       {},
       {"aac"},
       &IsAdts,
       &CheckAdts,
       nullptr,
       /*ends_with_file=*/true},
      {"mp3",
       "mp3",
       {},
       {"mp3float", "mp2float"},
       {},
       {"mp3", "mp2"},
       &IsMp3,
       &CheckMp3,
       nullptr,
       /*ends_with_file=*/true},
  };
  return *kContainers;
}

FoundContainer FindContainer(const ByteReader& reader) {
  constexpr int64_t kHead = 8192;
  constexpr int kMaxTags = 8;
  FoundContainer found;
  std::string head = reader.Text(0, kHead);
  for (int i = 0; i < kMaxTags && TagBytes(head) > 0; ++i) {
    found.begin += TagBytes(head);
    head = reader.Text(found.begin, kHead);
    // Some writers pad behind the tag.
    const size_t padding = head.find_first_not_of('\0');
    if (padding == std::string::npos) break;
    found.begin += static_cast<int64_t>(padding);
    head.erase(0, padding);
  }
  for (const Container& container : Containers()) {
    if (!container.matches(head)) continue;
    found.container = &container;
    break;
  }
  found.end = reader.size();
  if (found.container != nullptr && found.container->ends_with_file) {
    found.end = std::max(found.begin, found.end - TagBytesBehind(reader));
  }
  return found;
}

}  // namespace unival
