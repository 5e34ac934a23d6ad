// Files that tools trimmed without decoding are complete. Files that were cut at any place are not.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/media.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int kRate = 16000;

const MediaDecoder& Decoder() {
  static const auto* const kDecoder = NewFfmpegDecoder().release();
  return *kDecoder;
}

MediaSource Source(const std::string& bytes) {
  MediaSource media;
  media.name = "clip";
  media.bytes = std::make_shared<const std::string>(bytes);
  return media;
}

absl::StatusOr<AudioClip> Sound(const std::string& bytes) {
  return Decoder().DecodeAudio(Source(bytes));
}

int64_t CountOf(const std::string& bytes) {
  const auto clip = Sound(bytes);
  EXPECT_TRUE(clip.ok()) << clip.status();
  return clip.ok() ? clip->samples.size(1) : 0;
}

void ExpectTruncated(const std::string& bytes, const std::string& what) {
  const absl::Status status = Sound(bytes).status();
  EXPECT_TRUE(IsMediaError(status)) << what << ": " << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "truncated")) << what << ": " << status;
  EXPECT_TRUE(IsTruncatedMedia(status)) << what << ": " << status;
}

struct Kind {
  const char* container;
  const char* codec;
  int rate;
};
constexpr Kind kSounds[] = {
    {"flac", "flac", 16000},      {"flac", "flac", 44100},      {"mp3", "libmp3lame", 8000},
    {"mp3", "libmp3lame", 16000}, {"mp3", "libmp3lame", 44100}, {"adts", "aac", 16000},
    {"mp4", "aac", 44100},        {"ipod", "aac", 16000},       {"mp4", "alac", 16000},
    {"ogg", "libvorbis", 16000},  {"ogg", "libopus", 48000},    {"ogg", "flac", 16000},
    {"webm", "libopus", 48000},   {"matroska", "aac", 16000},   {"matroska", "flac", 16000},
    {"wav", "pcm_s16le", 16000},  {"wav", "adpcm_ms", 16000},   {"aiff", "pcm_s16be", 16000},
    {"avi", "pcm_s16le", 16000},  {"avi", "libmp3lame", 16000}, {"matroska", "libmp3lame", 16000}};

std::string NameOf(const Kind& kind) {
  return std::string(kind.container) + " " + kind.codec + " " + std::to_string(kind.rate);
}

TEST(TrimmedTest, ASoundTrimmedWithoutDecodingIsReadForAsLongAsItIs) {
  for (const Kind& kind : kSounds) {
    const std::string whole =
        MakeSound(kind.container, kind.codec, TestTone(4 * kind.rate, kind.rate), kind.rate);
    for (const auto& [begin, end] :
         std::vector<std::pair<double, double>>{{0, 1.5}, {1.3, 2.8}, {1.3, 9}}) {
      const double seconds = std::min(end, 4.0) - begin;
      const auto clip = Sound(Trim(whole, kind.container, begin, end));
      ASSERT_TRUE(clip.ok()) << NameOf(kind) << " " << begin << ": " << clip.status();
      const double read = static_cast<double>(clip->samples.size(1)) / clip->sample_rate_hz;
      // Packets of WAV are long, and FFmpeg states a delay of 4096 samples for a trimmed MP3.
      const absl::string_view container = kind.container;
      EXPECT_NEAR(read, seconds, container == "wav" || container == "mp3" ? 0.6 : 0.3)
          << NameOf(kind) << " " << begin;
      EXPECT_GT(clip->samples.abs().max().item<float>(), 0.3f) << NameOf(kind);
    }
  }
}

// Cuts the file at each of the last bytes. Returns the number of samples that are read for each
// number of missing bytes.
std::map<size_t, int64_t> ReadAfterCuts(const std::string& bytes, size_t most) {
  std::map<size_t, int64_t> read;
  for (size_t cut = 1; cut <= most; ++cut) {
    const auto clip = Sound(bytes.substr(0, bytes.size() - cut));
    if (clip.ok()) {
      read[cut] = clip->samples.size(1);
    } else {
      EXPECT_TRUE(IsMediaError(clip.status())) << cut << ": " << clip.status();
    }
  }
  return read;
}

// 64 kbit/s at 16 kHz, of 576 samples: 288 bytes a frame.
TEST(TrimmedTest, AnMp3ThatEndsWithinAFrameIsTruncatedAndOneThatEndsBehindOneIsNot) {
  constexpr size_t kFrame = 288;
  const std::string mp3 = MakeSound("mp3", "libmp3lame", TestTone(kRate / 2, kRate), kRate);
  const std::string streamed =
      MakeSound("mp3", "libmp3lame", TestTone(kRate / 4, kRate), kRate, true);
  for (const std::string& bytes : {mp3, streamed, Trim(mp3, "mp3", 0.2, 0.4)}) {
    const auto read = ReadAfterCuts(bytes, 2 * kFrame + 10);
    EXPECT_EQ(read.size(), 2u);
    EXPECT_EQ(read.count(kFrame) + read.count(2 * kFrame), 2u);
  }
  ExpectTruncated(mp3.substr(0, mp3.size() - 100), "within a frame");
  const std::string tag = "TAG" + std::string(125, ' ');
  ExpectTruncated(mp3.substr(0, mp3.size() - 100) + tag, "a tag behind half a frame");
  EXPECT_EQ(CountOf(mp3.substr(0, mp3.size() - kFrame) + tag),
            CountOf(mp3.substr(0, mp3.size() - kFrame)));
}

TEST(TrimmedTest, AnMp2ThatEndsWithinAFrameIsTruncated) {
  const std::string mp2 = MakeSound("mp2", "mp2", TestTone(kRate, kRate), kRate);
  EXPECT_GE(CountOf(mp2), kRate);
  EXPECT_LE(ReadAfterCuts(mp2, 200).size(), 1u);
  ExpectTruncated(mp2.substr(0, mp2.size() - 1), "one byte");
}

// The length of a frame of AAC stands in its head (ISO/IEC 13818-7, 6.2).
TEST(TrimmedTest, AnAacThatEndsWithinAFrameIsTruncatedAndOneThatEndsBehindOneIsNot) {
  const std::string aac = MakeSound("adts", "aac", TestTone(kRate / 2, kRate), kRate);
  std::set<size_t> ends;
  for (size_t at = 0; at + 7 <= aac.size();) {
    const auto bits = BigEndian(aac.substr(at + 3), 3);
    at += bits >> 5 & 0x1fff;
    ends.insert(aac.size() - at);
  }
  ASSERT_EQ(*ends.begin(), 0u);
  constexpr size_t kMost = 500;
  for (const auto& [cut, count] : ReadAfterCuts(aac, kMost)) {
    EXPECT_EQ(ends.count(cut), 1u)
        << cut << " " << count << " of " << aac.size() << ", " << ::testing::PrintToString(ends);
  }
  ASSERT_GT(ends.size(), 3u);
  EXPECT_GT(CountOf(aac.substr(0, aac.size() - *std::next(ends.begin()))), 0);
}

// The head says how many samples there were before the file was trimmed.
TEST(TrimmedTest, AFlacThatEndsWithinAFrameIsTruncatedAndOneThatEndsBehindOneIsNot) {
  constexpr int kBlock = 1152;
  const std::string flac = EncodeFlac(TestTone(kRate, kRate), kRate).value();
  const std::string trimmed = Trim(flac, "flac", 0.3, 0.8);
  const int64_t count = CountOf(trimmed);
  EXPECT_EQ(count % kBlock, 0);
  EXPECT_EQ(trimmed.substr(21, 5), flac.substr(21, 5)) << "the number of samples";
  for (const std::string& bytes : {flac, trimmed}) {
    std::set<int64_t> counts;
    const auto read = ReadAfterCuts(bytes, 1000);
    EXPECT_GE(read.size(), 1u);
    for (const auto& [cut, samples] : read) {
      EXPECT_EQ(samples % kBlock, 0) << cut;
      EXPECT_TRUE(counts.insert(samples).second) << cut;
    }
  }
  const std::string tag = "TAG" + std::string(125, ' ');
  EXPECT_EQ(CountOf(trimmed + tag), count);
  ExpectTruncated(trimmed.substr(0, trimmed.size() - 5) + tag, "a tag behind half a frame");
}

TEST(TrimmedTest, ABitThatIsFlippedInAFlacIsNoticed) {
  const std::string flac = EncodeFlac(TestTone(2 * kRate, kRate), kRate).value();
  for (size_t at = flac.size() / 2; at < flac.size(); at += 97) {
    std::string flipped = flac;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    EXPECT_TRUE(IsMediaError(Sound(flipped).status())) << at;
  }
}

TEST(TrimmedTest, TagsOfEveryKindBehindAnMp3AreNoSound) {
  const std::string mp3 = MakeSound("mp3", "libmp3lame", TestTone(kRate, kRate), kRate);
  const std::string item =
      LittleEndianBytes(4, 4) + LittleEndianBytes(0, 4) + "Key" + std::string(1, '\0') + "four";
  const auto frame = [&](uint64_t flags) {
    return "APETAGEX" + LittleEndianBytes(2000, 4) + LittleEndianBytes(item.size() + 32, 4) +
           LittleEndianBytes(1, 4) + LittleEndianBytes(flags, 4) + std::string(8, '\0');
  };
  const std::string ape = frame(0xa0000000) + item + frame(0x80000000);
  const std::string old_tag = "TAG" + std::string(125, ' ');
  for (const std::string& behind : {ape, item + frame(0), ape + old_tag, old_tag}) {
    EXPECT_EQ(CountOf(mp3 + behind), CountOf(mp3)) << behind.size();
    ExpectTruncated(mp3.substr(0, mp3.size() - 100) + behind, "tags behind half a frame");
  }
}

// All frames are there, whatever the tag says of itself.
TEST(TrimmedTest, ATagThatStatesAWrongLengthIsNoSound) {
  const std::string mp3 = MakeSound("mp3", "libmp3lame", TestTone(kRate, kRate), kRate);
  const std::string old_tag = "TAG" + std::string(125, 'x');
  const auto foot = [](uint64_t bytes, uint64_t entries, uint64_t flags) {
    return "APETAGEX" + LittleEndianBytes(2000, 4) + LittleEndianBytes(bytes, 4) +
           LittleEndianBytes(entries, 4) + LittleEndianBytes(flags, 4) + std::string(8, '\0');
  };
  for (const std::string& tag :
       {foot(32, 0, 0x80000000), foot(600, 0, 0), foot(600, 3, 0), foot(600, 3, 0x80000000),
        foot(0, 0, 0), foot(0xffffffff, 1, 0), foot(mp3.size() + 5000, 1, 0)}) {
    EXPECT_EQ(CountOf(mp3 + tag), CountOf(mp3));
    EXPECT_EQ(CountOf(mp3 + tag + old_tag), CountOf(mp3));
    ExpectTruncated(mp3.substr(0, mp3.size() - 100) + tag, "a tag behind half a frame");
  }
}

// The sample table of an MP4 decides whether it is complete, not its duration.
TEST(TrimmedTest, ADurationThatIsTooLongDoesNotMakeAnMp4Truncated) {
  std::string mp4 = MakeSound("mp4", "aac", TestTone(kRate, kRate), kRate);
  const int64_t count = CountOf(mp4);
  const size_t media = mp4.find("mdhd");
  ASSERT_NE(media, std::string::npos);
  mp4.replace(media + 20, 4, BigEndianBytes(10 * kRate, 4));
  EXPECT_GE(CountOf(mp4), count);
  ExpectTruncated(mp4.substr(0, mp4.size() * 2 / 3), "cut");
}

// What a program that writes to a pipe leaves of the lengths of an AIFF.
TEST(TrimmedTest, AStreamedAiffReachesToTheEndOfTheFile) {
  const std::string whole = MakeSound("aiff", "pcm_s16be", TestTone(kRate, kRate), kRate);
  EXPECT_EQ(CountOf(MakeSound("aiff", "pcm_s16be", TestTone(kRate, kRate), kRate, true)), kRate);
  const size_t common = whole.find("COMM"), sound = whole.find("SSND");
  ASSERT_NE(sound, std::string::npos);
  const auto with = [&](uint64_t bytes) {
    std::string changed = whole;
    changed.replace(4, 4, BigEndianBytes(bytes, 4));
    changed.replace(common + 10, 4, BigEndianBytes(bytes / 2, 4));
    changed.replace(sound + 4, 4, BigEndianBytes(bytes + 8, 4));
    return changed;
  };
  for (const uint64_t bytes : {0x7f000000u, 0x7fffffffu, 0xfffffff0u}) {
    EXPECT_EQ(CountOf(with(bytes)), kRate) << bytes;
  }
  ExpectTruncated(with(4 * kRate), "promises twice as much");
  ExpectTruncated(whole.substr(0, whole.size() / 2), "cut");
}

TEST(TrimmedTest, AStreamedAviIsReadToItsLastWholeFrame) {
  EXPECT_GE(CountOf(MakeSound("avi", "pcm_s16le", TestTone(kRate, kRate), kRate, true)), kRate);
  VideoSetting setting;
  setting.container = "avi";
  setting.streamed = true;
  const std::string avi = MakeVideo(setting);
  const auto all = [](int64_t count, double) {
    std::vector<int64_t> frames(count);
    std::iota(frames.begin(), frames.end(), 0);
    return frames;
  };
  const auto clip = Decoder().DecodeVideo(Source(avi), all);
  ASSERT_TRUE(clip.ok()) << clip.status();
  EXPECT_EQ(clip->source_frame_count, setting.frames);
  EXPECT_TRUE(
      IsMediaError(Decoder().DecodeVideo(Source(avi.substr(0, avi.size() / 2)), all).status()));
}

// The number of sample bytes in the header decides whether a WAV is complete, for any codec.
TEST(TrimmedTest, AWavOfACodecThatLacksBytesIsTruncated) {
  const std::string wav = MakeSound("wav", "adpcm_ms", TestTone(kRate, kRate), kRate);
  EXPECT_GE(CountOf(wav), kRate);
  for (const size_t cut : {1u, 10u, 300u, 2000u}) {
    ExpectTruncated(wav.substr(0, wav.size() - cut), std::to_string(cut));
  }
}

// The greys of MakeVideo's frames are 8 a step, and one in six or so can be decoded alone. An MP4
// hides those before the cut; the others begin with them.
TEST(TrimmedTest, AVideoTrimmedWithoutDecodingShowsWhatItHas) {
  const auto all = [](int64_t count, double) {
    std::vector<int64_t> frames(count);
    std::iota(frames.begin(), frames.end(), 0);
    return frames;
  };
  const std::pair<const char*, const char*> kinds[] = {
      {"mp4", "libx264"},      {"mp4", "mpeg4"},       {"mov", "libx264"},
      {"matroska", "libx264"}, {"webm", "libvpx-vp9"}, {"avi", "mpeg4"}};
  for (const auto& [container, codec] : kinds) {
    VideoSetting setting;
    setting.container = container;
    setting.codec = codec;
    setting.frames = 20;
    const std::string whole = MakeVideo(setting);
    const auto clip = Decoder().DecodeVideo(Source(Trim(whole, container, 0.75, 1.55)), all);
    ASSERT_TRUE(clip.ok()) << container << " " << codec << ": " << clip.status();
    const bool hides =
        absl::string_view(container) == "mp4" || absl::string_view(container) == "mov";
    std::vector<int> steps;
    for (int64_t i = 0; i < clip->frames.size(0); ++i) {
      steps.push_back(
          static_cast<int>(clip->frames[i].to(at::kFloat).mean().item<float>() / 8 + 0.5f));
    }
    // Encoders place frames that can be decoded alone where they like.
    const int first = hides ? 8 : steps.front();
    EXPECT_LE(first, hides ? 8 : 7) << container << " " << codec;
    std::vector<int> expected(16 - first);
    std::iota(expected.begin(), expected.end(), first);
    EXPECT_EQ(steps, expected) << container << " " << codec;
  }
}

}  // namespace
}  // namespace unival
