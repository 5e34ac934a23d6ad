// Sounds in practice: streamed, joined, padded, with samples that are not finite, truncated.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/media.h"

namespace unival {
namespace {

constexpr int kRate = 16000, kCount = 4000;

absl::StatusOr<AudioClip> Decode(const std::string& bytes) {
  static const auto* const kDecoder = NewFfmpegDecoder().release();
  MediaSource media;
  media.name = "sound";
  media.bytes = std::make_shared<const std::string>(bytes);
  return kDecoder->DecodeAudio(media);
}

int64_t CountOf(const std::string& bytes) {
  const absl::StatusOr<AudioClip> clip = Decode(bytes);
  EXPECT_TRUE(clip.ok()) << clip.status();
  return clip.ok() ? clip->samples.size(1) : 0;
}

void ExpectRefused(const std::string& bytes, const std::string& what) {
  const absl::Status status = Decode(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what << ": " << status;
  EXPECT_TRUE(IsMediaError(status)) << what;
}

std::vector<float> Tone(int rate = kRate, int count = kCount) { return TestTone(count, rate); }

// A WAV file whose header says `promised` bytes of samples.
std::string Wav(int codec, int bits, int bytes, const std::string& data, uint64_t promised,
                int valid_bits = 0, int subformat = 1) {
  std::string format = LittleEndianBytes(codec, 2) + LittleEndianBytes(1, 2) +
                       LittleEndianBytes(kRate, 4) + LittleEndianBytes(kRate * bytes, 4) +
                       LittleEndianBytes(bytes, 2) + LittleEndianBytes(bits, 2);
  if (codec == 0xfffe) {
    format += LittleEndianBytes(22, 2) + LittleEndianBytes(valid_bits, 2) +
              LittleEndianBytes(4, 4) + LittleEndianBytes(subformat, 2) +
              std::string("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
  }
  return "RIFF" + LittleEndianBytes(20 + format.size() + data.size(), 4) + "WAVEfmt " +
         LittleEndianBytes(format.size(), 4) + format + "data" + LittleEndianBytes(promised, 4) +
         data;
}

std::string Samples16() {
  std::string data;
  for (const float value : Tone()) {
    data += LittleEndianBytes(static_cast<uint16_t>(static_cast<int16_t>(value * 32767)), 2);
  }
  return data;
}

TEST(SoundsTest, AStreamedWavReachesToTheEndOfTheFile) {
  const std::string data = Samples16();
  for (const uint64_t promised :
       {uint64_t{0}, uint64_t{0x7fffffff - 36}, uint64_t{0x7ffff000}, uint64_t{0x7fffffff},
        uint64_t{0x80000000}, uint64_t{0xffffffff - 36}, uint64_t{0xffffffff}}) {
    EXPECT_EQ(CountOf(Wav(1, 16, 2, data, promised)), kCount) << promised;
  }
  ExpectRefused(Wav(1, 16, 2, data, data.size() + 2), "promises one sample more");
  ExpectRefused(Wav(1, 16, 2, data, 0x40000000), "promises a gibibyte");
  ExpectRefused(Wav(1, 16, 2, "", 0), "streams nothing");
}

TEST(SoundsTest, AStreamedWavOfACodecReachesToTheEndOfTheFileToo) {
  constexpr int kMuLaw = 7;
  const std::string law(kCount, '\x55');
  const std::string adpcm = MakeSound("wav", "adpcm_ms", Tone(), kRate);
  const int64_t count = CountOf(adpcm);
  const size_t length_at = adpcm.find("data") + 4;
  for (const uint64_t promised : {uint64_t{0}, uint64_t{0x7fffffff}, uint64_t{0xffffffff}}) {
    EXPECT_EQ(CountOf(Wav(kMuLaw, 8, 1, law, promised)), kCount) << promised;
    std::string streamed = adpcm;
    streamed.replace(length_at, 4, LittleEndianBytes(promised, 4));
    EXPECT_EQ(CountOf(streamed), count) << promised;
  }
  ExpectRefused(Wav(kMuLaw, 8, 1, law, 2 * law.size()), "promises twice as much");
}

TEST(SoundsTest, ChunksBehindNoSamplesAreNoSound) {
  const std::string list = "LIST" + LittleEndianBytes(4, 4) + "abcd";
  const absl::Status status = Decode(Wav(1, 16, 2, "", 0) + list).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "no samples")) << status;
  const std::string data = Samples16();
  EXPECT_EQ(
      CountOf(Wav(1, 16, 2, "", 0) + list + "data" + LittleEndianBytes(data.size(), 4) + data),
      kCount);
}

TEST(SoundsTest, WhatTheHeadLeavesOutIsFilledInAndWhatMeansNothingIsNamed) {
  const std::string data = Samples16();
  std::string wav = Wav(1, 16, 2, data, data.size());
  wav.replace(32, 2, std::string(2, '\0'));  // bytes of all channels together
  EXPECT_EQ(CountOf(wav), kCount);
  wav.replace(22, 2, std::string(2, '\0'));
  const absl::Status status = Decode(wav).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "16 bits in 0 channels")) << status;
}

TEST(SoundsTest, SixtyFourBitLengthsStandInAChunkOfTheirOwn) {
  const std::string data = Samples16();
  std::string wav = Wav(1, 16, 2, data, 0xffffffff);
  wav.replace(0, 8, "RF64" + LittleEndianBytes(0xffffffff, 4));
  const auto with = [&](uint64_t promised) {
    return wav.substr(0, 12) + "ds64" + LittleEndianBytes(28, 4) +
           LittleEndianBytes(wav.size() + 28, 8) + LittleEndianBytes(promised, 8) +
           LittleEndianBytes(kCount, 8) + LittleEndianBytes(0, 4) + wav.substr(12);
  };
  EXPECT_EQ(CountOf(with(data.size())), kCount);
  ExpectRefused(with(data.size() + 2), "promises one sample more");
}

// The 64-bit lengths in files of programs that write to a pipe: all bits 0, or all bits 1.
TEST(SoundsTest, AStreamedFileOf64BitLengthsReachesToTheEndOfTheFile) {
  constexpr int kMuLaw = 7;
  for (const bool is_law : {true, false}) {
    const std::string data = is_law ? std::string(kCount, '\x55') : Samples16();
    for (const uint64_t of_data : {uint64_t{0}, uint64_t{0xffffffff}}) {
      std::string wav = Wav(is_law ? kMuLaw : 1, is_law ? 8 : 16, is_law ? 1 : 2, data, of_data);
      wav.replace(0, 8, "RF64" + LittleEndianBytes(0xffffffff, 4));
      for (const uint64_t promised : {uint64_t{0}, uint64_t{INT64_MAX}, UINT64_MAX}) {
        const std::string streamed =
            wav.substr(0, 12) + "ds64" + LittleEndianBytes(28, 4) + LittleEndianBytes(promised, 8) +
            LittleEndianBytes(promised, 8) + LittleEndianBytes(promised, 8) +
            LittleEndianBytes(0, 4) + wav.substr(12);
        EXPECT_EQ(CountOf(streamed), kCount) << is_law << " " << of_data << " " << promised;
      }
    }
  }
}

TEST(SoundsTest, ValidBitsStandAtTheHighEndOfTheirBytes) {
  std::string in_32, in_24;
  for (const float value : Tone()) {
    const auto sample = static_cast<int32_t>(static_cast<double>(value) * 2147483647.0);
    in_32 += LittleEndianBytes(static_cast<uint32_t>(sample) & 0xffffff00u, 4);
    in_24 += LittleEndianBytes(static_cast<uint32_t>(sample) >> 12 << 4, 3);
  }
  const std::pair<std::string, float> cases[] = {
      {Wav(0xfffe, 32, 4, in_32, in_32.size(), 24), 1e-6f},
      {Wav(0xfffe, 24, 3, in_24, in_24.size(), 20), 1e-5f},
      {Wav(1, 24, 4, in_32, in_32.size()), 1e-6f}};
  std::vector<float> tone = Tone();
  const at::Tensor expected = at::from_blob(tone.data(), {1, kCount}, at::kFloat);
  for (const auto& [wav, tolerance] : cases) {
    const absl::StatusOr<AudioClip> clip = Decode(wav);
    ASSERT_TRUE(clip.ok()) << clip.status();
    ASSERT_EQ(clip->samples.sizes(), expected.sizes());
    EXPECT_LT((clip->samples - expected).abs().max().item<float>(), tolerance);
  }
}

TEST(SoundsTest, ChunksBeforeAndBehindTheSamplesAreSteppedOver) {
  const std::string data = Samples16();
  const std::string wav = Wav(1, 16, 2, data, data.size());
  const std::string list = "LIST" + LittleEndianBytes(70000, 4) + std::string(70000, 'x');
  EXPECT_EQ(CountOf(wav.substr(0, 12) + list + wav.substr(12) + "LIST" + LittleEndianBytes(4, 4) +
                    "abcd"),
            kCount);
}

TEST(SoundsTest, SamplesThatAreNoNumbersAreNamed) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> samples = Tone();
    samples[1234] = bad;
    const std::string data(reinterpret_cast<const char*>(samples.data()), 4 * samples.size());
    const absl::Status status = Decode(Wav(3, 32, 4, data, data.size())).status();
    EXPECT_TRUE(IsMediaError(status)) << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), "sound: expected finite samples")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "sample 1234 of channel 0")) << status;
  }
}

TEST(SoundsTest, DoublesAreRead) {
  std::string data;
  for (const float value : Tone()) {
    const double wide = value;
    data.append(reinterpret_cast<const char*>(&wide), sizeof(wide));
  }
  EXPECT_EQ(CountOf(Wav(3, 64, 8, data, data.size())), kCount);
}

TEST(SoundsTest, PaddingOfOpusIsNoSound) {
  constexpr int kOpusRate = 48000, kOpusCount = 12000;
  const std::string opus = MakeSound("ogg", "libopus", Tone(kOpusRate, kOpusCount), kOpusRate);
  EXPECT_EQ(CountOf(opus), kOpusCount);
  ExpectRefused(opus.substr(0, opus.size() * 2 / 3), "cut in a page");
}

// Matroska states the rate that the sound had before, Ogg does not.
TEST(SoundsTest, PaddingOfOpusIsCountedAt48Kilohertz) {
  constexpr int kOpusRate = 48000;
  for (const char* container : {"ogg", "webm", "matroska"}) {
    for (const int rate : {8000, 16000, 24000, 48000}) {
      const int64_t count = rate / 4;
      const std::string opus =
          MakeSound(container, "libopus", Tone(rate, static_cast<int>(count)), rate);
      EXPECT_EQ(CountOf(opus), count * kOpusRate / rate) << container << " " << rate;
    }
  }
}

// The extended form names a codec by a GUID, of which the codec's number is the beginning.
TEST(SoundsTest, AGuidThatNamesNoCodecIsRefused) {
  const std::string data = Samples16(), wav = Wav(0xfffe, 16, 2, data, data.size(), 16);
  constexpr size_t kGuid = 12 + 8 + 24;
  EXPECT_EQ(CountOf(wav), kCount);
  std::string ambisonic = wav, own = wav;
  ambisonic.replace(kGuid + 2, 14, "\0\0\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\0\0\0", 14);
  EXPECT_EQ(CountOf(ambisonic), kCount);
  own[kGuid + 9] ^= 1;
  const absl::Status status = Decode(own).status();
  EXPECT_TRUE(IsMediaError(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "GUID 0100000000001000")) << status;
}

// Data that recorders and editors put before and after the samples.
TEST(SoundsTest, ChunksOfEveryKindLeaveTheSamplesAsTheyAre) {
  const std::string data = Samples16(), wav = Wav(1, 16, 2, data, data.size());
  const auto chunk = [](const std::string& name, const std::string& bytes) {
    return name + LittleEndianBytes(bytes.size(), 4) + bytes + std::string(bytes.size() % 2, '\0');
  };
  const auto sample = [](const absl::StatusOr<AudioClip>& clip, int at) {
    return clip.ok() && clip->samples.size(1) > at ? clip->samples.data_ptr<float>()[at] : -9;
  };
  const auto right = Decode(wav);
  const size_t format = 12, samples = 36;
  const std::string other_format =
      chunk("fmt ", wav.substr(20, 4) + LittleEndianBytes(8000, 4) + wav.substr(28, 8));
  const std::pair<const char*, std::string> files[] = {
      {"an odd chunk before",
       wav.substr(0, samples) + chunk("LIST", "INFO1") + wav.substr(samples)},
      {"an odd chunk behind", wav + chunk("LIST", "INFO1")},
      {"of broadcasters", wav.substr(0, format) + chunk("bext", std::string(602, '\0')) +
                              chunk("JUNK", std::string(28, '\0')) + wav.substr(format)},
      {"a wrong count",
       wav.substr(0, samples) + chunk("fact", LittleEndianBytes(1, 4)) + wav.substr(samples)},
      {"no size of the whole", wav.substr(0, 4) + std::string(4, '\0') + wav.substr(8)},
      {"a size of the whole that is too large",
       wav.substr(0, 4) + std::string(4, '\x7f') + wav.substr(8)},
      {"a tag behind", wav + chunk("id3 ", "ID3" + std::string(1997, '\0'))},
      {"zeros behind", wav + std::string(4096, '\0')},
      {"a format that a second replaces",
       wav.substr(0, format) + other_format + wav.substr(format)}};
  for (const auto& [name, bytes] : files) {
    const auto clip = Decode(bytes);
    ASSERT_TRUE(clip.ok()) << name << ": " << clip.status();
    EXPECT_EQ(clip->samples.size(1), kCount) << name;
    EXPECT_EQ(clip->sample_rate_hz, kRate) << name;
    for (const int at : {0, 1234, kCount - 1}) EXPECT_EQ(sample(clip, at), sample(right, at));
  }
}

TEST(SoundsTest, JoinedClipsPlayOneAfterTheOther) {
  constexpr int kOpusRate = 48000;
  const std::string opus = MakeSound("ogg", "libopus", Tone(kOpusRate, 12000), kOpusRate);
  EXPECT_GE(CountOf(opus + opus), 24000);
  EXPECT_LE(CountOf(opus + opus), 24000 + 960);
  const std::string mp3 = MakeSound("mp3", "libmp3lame", Tone(), kRate);
  const int64_t once = CountOf(mp3);
  EXPECT_GE(once, kCount);
  EXPECT_GE(CountOf(mp3 + mp3), 2 * once);
  EXPECT_LE(CountOf(mp3 + mp3), 2 * once + 4 * 1152);
  const std::string old_tag = "TAG" + std::string(125, ' ');
  EXPECT_EQ(CountOf(mp3 + old_tag), once);
  EXPECT_GE(CountOf(mp3 + old_tag + mp3 + old_tag), 2 * once);
}

TEST(SoundsTest, JoinedClipsOfDifferentCodecsAreCalledThat) {
  constexpr int kOpusRate = 48000;
  const std::string opus = MakeSound("ogg", "libopus", Tone(kOpusRate, 12000), kOpusRate);
  const std::string vorbis = MakeSound("ogg", "libvorbis", Tone(), kRate);
  const std::string flac = MakeSound("ogg", "flac", Tone(), kRate);
  for (const auto& [bytes, codecs] :
       std::vector<std::pair<std::string, const char*>>{{opus + vorbis, "Opus and Vorbis"},
                                                        {vorbis + opus, "Vorbis and Opus"},
                                                        {opus + opus + flac, "Opus and FLAC"}}) {
    ExpectRefused(bytes, codecs);
    const absl::Status status = Decode(bytes).status();
    EXPECT_TRUE(absl::StrContains(status.message(), codecs)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "as files of their own")) << status;
  }
}

TEST(SoundsTest, WhatStandsBehindTheLastFrameDoesNotMatter) {
  const std::string mp3 = MakeSound("mp3", "libmp3lame", Tone(), kRate);
  const std::string flac = EncodeFlac(Tone(), kRate).value();
  const std::string notes = "notes of a player, and what it wrote of other songs";
  for (const std::string& behind :
       {std::string(5000, '\0'), notes, "TAG" + std::string(125, ' ')}) {
    // The padding of the last frame is only known to be that where the file ends with it.
    EXPECT_GE(CountOf(mp3 + behind), CountOf(mp3)) << behind.size();
    EXPECT_LE(CountOf(mp3 + behind), CountOf(mp3) + 1152) << behind.size();
    EXPECT_EQ(CountOf(flac + behind), kCount) << behind.size();
  }
  ExpectRefused(
      mp3.substr(0, mp3.size() / 2) + std::string(3000, '\0') + mp3.substr(mp3.size() / 2),
      "damaged in the middle");
}

TEST(SoundsTest, ARecordingOfAStreamMayBeginWithinAFrame) {
  const std::string aac = MakeSound("adts", "aac", Tone(kRate, 8 * kCount), kRate);
  EXPECT_GE(CountOf(aac.substr(50)), 7 * kCount);
  EXPECT_LT(CountOf(aac.substr(50)), CountOf(aac));
}

// In a TGA, which has no mark of its own, some bytes look like the heads of two frames.
TEST(SoundsTest, TwoHeadsOfFramesInOtherDataAreNoMp3) {
  constexpr char kHead[] = "\xff\xfb\x90\x00";  // of 417 bytes
  std::string tga = std::string("\0\0\2\0\0\0\0\0\0\0\0\0\100\0\100\0\30\0", 18);
  tga.resize(18 + 64 * 64 * 3, '\x55');
  for (const size_t at : {100, 517}) tga.replace(at, 4, kHead, 4);
  const auto clip = Decode(tga);
  EXPECT_NE(clip.status().message().find("no accepted format"), absl::string_view::npos)
      << clip.status();
  const std::string mp3 = MakeSound("mp3", "libmp3lame", Tone(kRate, 4 * kCount), kRate);
  EXPECT_GE(CountOf(mp3.substr(mp3.size() / 3)), 2 * kCount) << "the rest of a cut frame first";
}

TEST(SoundsTest, WholeFilesAreToldFromCutOnes) {
  const std::pair<const char*, std::string> whole[] = {
      {"flac", EncodeFlac(Tone(), kRate).value()},
      {"m4a", MakeSound("mp4", "aac", Tone(), kRate)},
      {"vorbis", MakeSound("ogg", "libvorbis", Tone(), kRate)},
      {"matroska", MakeSound("matroska", "libopus", Tone(48000, 12000), 48000)},
      {"wav", EncodeWav(Tone(), kRate).value()}};
  for (const auto& [name, bytes] : whole) {
    EXPECT_GE(CountOf(bytes), kCount) << name;
    ExpectRefused(bytes.substr(0, bytes.size() * 2 / 3), name);
  }
}

}  // namespace
}  // namespace unival
