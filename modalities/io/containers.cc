#include "modalities/io/containers.h"

#include <algorithm>

#include "absl/strings/match.h"

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

// How many frames of one kind follow each other from `at` on, as far as `head` reaches; with one
// more where the last of them ends with `head`.
int MpegFramesAt(absl::string_view head, size_t at) {
  const size_t first = at;
  int frames = 0;
  for (int64_t bytes = 0; (bytes = MpegFrameBytes(head, at)) > 0; at += bytes, ++frames) {
    const bool is_same = (At(head, at + 1) ^ At(head, first + 1)) < 2 &&
                         ((At(head, at + 2) ^ At(head, first + 2)) & 0x0c) == 0;
    if (!is_same) break;
  }
  return frames + (frames > 0 && at == head.size() ? 1 : 0);
}

// Two frames in a row. The rest of a frame, which a stream was cut in, may stand before them; other
// data, as those of a picture, look like two frames now and then, but not like four.
bool IsMp3(absl::string_view head) {
  constexpr size_t kMostBefore = 2048;
  if (MpegFramesAt(head, 0) >= 2) return true;
  for (size_t at = 1; at < kMostBefore && at + 4 <= head.size(); ++at) {
    if (MpegFramesAt(head, at) >= 4) return true;
  }
  return MpegFrameBytes(head, 0) >= static_cast<int64_t>(head.size()) &&
         MpegFrameBytes(head, 0) > 0;
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

// A frame, and another behind it where the file goes on. The rest of a frame may stand before them,
// and is told from other data as with MP3.
bool IsAdts(absl::string_view head) {
  constexpr size_t kMostBefore = 2048;
  const int64_t bytes = AdtsFrameBytes(head, 0);
  if (bytes > 0 && (bytes >= static_cast<int64_t>(head.size()) - 7 ||
                    AdtsFrameBytes(head, static_cast<size_t>(bytes)) > 0)) {
    return true;
  }
  for (size_t first = 1; first < kMostBefore && first + 7 <= head.size(); ++first) {
    size_t at = first;
    int frames = 0;
    for (int64_t next = 0; (next = AdtsFrameBytes(head, at)) > 0; at += next) ++frames;
    if (frames >= 4) return true;
  }
  return false;
}

// The tag that some programs put before music: "ID3", version, flags, size in four times 7 bits.
int64_t TagBytes(absl::string_view head) {
  if (!absl::StartsWith(head, "ID3") || head.size() < 10) return 0;
  int64_t bytes = 10;
  for (int i = 0; i < 4; ++i) bytes += int64_t{At(head, 6 + i) & 0x7f} << (7 * (3 - i));
  return bytes + ((At(head, 5) & 0x10) != 0 ? 10 : 0);
}

}  // namespace

// A table, in one piece.
const std::vector<Container>& Containers() {
  static const auto* const kContainers = new std::vector<Container>{
      {"mp4",
       "mov",
       {"h264", "hevc", "libdav1d", "vp9", "mpeg4", "mpeg2video", "mjpeg"},
       {"aac", "alac", "mp3float", "opus", "flac", "pcm_s16le", "pcm_s16be", "pcm_s24le",
        "pcm_s24be", "pcm_f32le"},
       &IsMp4,
       &CheckMp4},
      {"mkv",
       "matroska",
       {"h264", "hevc", "libdav1d", "vp8", "vp9", "mpeg4", "mpeg2video", "mjpeg", "ffv1",
        "rawvideo"},
       {"opus", "vorbis", "aac", "flac", "mp3float", "pcm_s16le", "pcm_s24le", "pcm_f32le"},
       &IsMatroska,
       &CheckMatroska},
      {"avi",
       "avi",
       {"mpeg4", "msmpeg4v2", "msmpeg4", "mjpeg", "h264", "rawvideo", "huffyuv", "ffv1"},
       {"pcm_s16le", "pcm_u8", "mp3float"},
       &IsAvi,
       &CheckAvi},
      {"gif", "gif", {"gif"}, {}, &IsGif, nullptr},
      {"ogg", "ogg", {}, {"vorbis", "opus", "flac"}, &IsOgg, &CheckOgg},
      {"flac", "flac", {}, {"flac"}, &IsFlac, nullptr},
      {"wav",
       "wav",
       {},
       {"pcm_mulaw", "pcm_alaw", "adpcm_ms", "adpcm_ima_wav", "mp3float"},
       &IsWav,
       nullptr},
      {"aiff",
       "aiff",
       {},
       {"pcm_s8", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s32be", "pcm_f32be"},
       &IsAiff,
       nullptr},
      {"aac", "aac", {}, {"aac"}, &IsAdts, nullptr},
      {"mp3", "mp3", {}, {"mp3float", "mp2float"}, &IsMp3, nullptr},
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
  return found;
}

}  // namespace unival
