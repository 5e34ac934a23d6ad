#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/io/formats.h"
#include "sdk/base/test_files.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

const std::string kMedia = "tests/golden/media/";

MediaSource FileMedia(const std::string& name) {
  MediaSource media;
  media.path = kMedia + name;
  return media;
}

MediaSource BytesMedia(std::string bytes, std::string name = "clip") {
  MediaSource media;
  media.name = std::move(name);
  media.bytes = std::make_shared<const std::string>(std::move(bytes));
  return media;
}

class IoTest : public ::testing::Test {
 protected:
  std::unique_ptr<MediaDecoder> decoder_ = NewFfmpegDecoder();

  at::Tensor Image(const MediaSource& media, PixelFormat format = PixelFormat::kRgb8) {
    absl::StatusOr<at::Tensor> pixels = decoder_->DecodeImage(media, format);
    EXPECT_TRUE(pixels.ok()) << pixels.status();
    return pixels.ok() ? *pixels : at::Tensor();
  }

  absl::Status Select(const MediaSource& media, std::vector<int64_t> indices) {
    return decoder_->DecodeVideo(media, [&](int64_t, double) { return indices; }).status();
  }
};

std::vector<uint8_t> Ramp(size_t count) {
  std::vector<uint8_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<uint8_t>((i * 31) ^ (i >> 7));
  return values;
}

at::Tensor AsTensor(const std::vector<uint8_t>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<uint8_t*>(values.data()), shape, at::kByte).clone();
}

TEST_F(IoTest, DecodesPngExactlyLikeTheReference) {
  const TensorMap golden = LoadSafetensors("tests/golden/preprocess/images.safetensors").value();
  for (const char* name : {"grad_120x80.png", "noise_64x64.png", "mix_rgba_50x70.png",
                           "grad_gray_33x21.png", "mix_palette_80x60.png"}) {
    const at::Tensor& expected = golden.at(std::string(name) + "/decoded_rgb_u8");
    EXPECT_EQ(MaxDifference(Image(FileMedia(name)), expected), 0) << name;
    EXPECT_EQ(MaxDifference(Image(BytesMedia(ReadText(kMedia + name))), expected), 0) << name;
  }
}

TEST_F(IoTest, DecodesJpegExactlyLikeTheReference) {
  const TensorMap golden = LoadSafetensors("tests/golden/preprocess/images.safetensors").value();
  const at::Tensor pixels = Image(FileMedia("mix_97x131.jpg"));
  const at::Tensor& expected = golden.at("mix_97x131.jpg/decoded_rgb_u8");
  EXPECT_EQ(MaxDifference(pixels, expected), 0);
}

TEST(FormatsTest, EveryFormatIsKnownByAnExtension) {
  for (const MediaFormat& format : MediaFormats()) {
    const std::string container = format.name.substr(0, format.name.find(" ("));
    EXPECT_NE(KindOfExtension(container), "") << format.name;
    for (const std::string& extension : format.extensions) {
      EXPECT_EQ(KindOfExtension(extension), format.kind) << format.name << " " << extension;
    }
  }
  for (const char* name : {"png", "JPG", "jfif", "Tiff", "tif", "gif", "avif", "ppm", "webp"}) {
    EXPECT_EQ(KindOfExtension(name), "image") << name;
  }
  for (const char* name : {"wav", "opus", "aiff", "aac", "m4a", "ogg"}) {
    EXPECT_EQ(KindOfExtension(name), "audio") << name;
  }
  for (const char* name : {"mp4", "mov", "webm", "avi", "MKV"}) {
    EXPECT_EQ(KindOfExtension(name), "video") << name;
  }
  for (const char* name : {"", "txt", "json", "npy", ".png"}) EXPECT_EQ(KindOfExtension(name), "");
  const std::vector<std::string> sounds = ExtensionsOfKind("audio");
  EXPECT_EQ(sounds.front(), "wav");
  EXPECT_EQ(std::count(sounds.begin(), sounds.end(), "flac"), 1);
  EXPECT_TRUE(ExtensionsOfKind("depth").empty());
}

TEST_F(IoTest, PngRoundTripsInEveryLayout) {
  const std::vector<uint8_t> bytes = Ramp(31 * 17 * 4);
  for (int channels : {1, 3, 4}) {
    const std::vector<uint8_t> pixels(bytes.begin(), bytes.begin() + 31 * 17 * channels);
    absl::StatusOr<std::string> png = EncodePng(pixels, 31, 17, channels);
    ASSERT_TRUE(png.ok()) << png.status();
    at::Tensor expected = AsTensor(pixels, {17, 31, channels});
    if (channels == 1) expected = expected.expand({17, 31, 3});
    if (channels == 4) expected = expected.slice(2, 0, 3);
    EXPECT_EQ(MaxDifference(Image(BytesMedia(*png)), expected), 0) << channels;
  }
}

TEST_F(IoTest, SixteenBitGreyKeepsAllBits) {
  std::vector<uint16_t> depth(40 * 30);
  for (size_t i = 0; i < depth.size(); ++i) depth[i] = static_cast<uint16_t>(i * 54);
  const std::string png = EncodeGray16Png(depth, 40, 30).value();
  at::Tensor pixels = Image(BytesMedia(png), PixelFormat::kGray16);
  ASSERT_EQ(pixels.sizes(), at::IntArrayRef({30, 40, 1}));
  EXPECT_EQ(pixels.scalar_type(), at::kInt);
  EXPECT_EQ(pixels.flatten()[1199].item<int>(), 1199 * 54);
  EXPECT_EQ(Image(BytesMedia(png), PixelFormat::kGray8).flatten()[1199].item<int>(),
            (1199 * 54) >> 8);
  absl::Status status =
      decoder_->DecodeImage(FileMedia("grad_gray_33x21.png"), PixelFormat::kGray16).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "16-bit")) << status;
}

TEST_F(IoTest, ReadsPortableGreymaps) {
  const std::string pgm =
      std::string("P5\n3 2\n255\n") + std::string("\x01\x02\x03\x04\x05\x06", 6);
  at::Tensor pixels = Image(BytesMedia(pgm), PixelFormat::kGray8);
  EXPECT_EQ(MaxDifference(pixels.flatten(), at::arange(1, 7)), 0);
  std::string wide = "P5\n2 1\n65535\n";
  wide += std::string("\x12\x34\xff\xfe", 4);
  EXPECT_EQ(Image(BytesMedia(wide), PixelFormat::kGray16).flatten()[0].item<int>(), 0x1234);
}

TEST_F(IoTest, WavRoundTripsWithinHalfAStep) {
  std::vector<float> samples(8001);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.9f * std::sin(0.05f * i);
  for (const std::string& bytes :
       {EncodeWav(samples, 8000).value(), EncodeFlac(samples, 8000).value()}) {
    absl::StatusOr<AudioClip> clip = decoder_->DecodeAudio(BytesMedia(bytes));
    ASSERT_TRUE(clip.ok()) << clip.status();
    EXPECT_EQ(clip->sample_rate_hz, 8000);
    ASSERT_EQ(clip->samples.sizes(), at::IntArrayRef({1, 8001}));
    at::Tensor expected = at::from_blob(samples.data(), {1, 8001}, at::kFloat);
    EXPECT_LT(MaxDifference(clip->samples, expected), 1.0 / 32768);
  }
}

TEST_F(IoTest, ReadsStereoInChannelOrder) {
  absl::StatusOr<AudioClip> clip = decoder_->DecodeAudio(FileMedia("tone_16k_stereo.wav"));
  ASSERT_TRUE(clip.ok()) << clip.status();
  EXPECT_EQ(clip->samples.sizes(), at::IntArrayRef({2, 4000}));
  const TensorMap golden = LoadSafetensors("tests/golden/preprocess/audio.safetensors").value();
  at::Tensor mean = clip->samples.mean(0);
  EXPECT_LT(MaxDifference(mean, golden.at("tone_16k_stereo.wav/soundfile_path")), 4e-5);
}

TEST_F(IoTest, ReadsWavOfEveryWidth) {
  const auto wav = [](int codec, int bits, const std::string& data) {
    const auto little = [](uint32_t value, int bytes) {
      std::string text;
      for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
      return text;
    };
    return "RIFF" + little(36 + data.size(), 4) + "WAVEfmt " + little(16, 4) + little(codec, 2) +
           little(1, 2) + little(8000, 4) + little(8000 * bits / 8, 4) + little(bits / 8, 2) +
           little(bits, 2) + "data" + little(data.size(), 4) + data;
  };
  const std::vector<std::pair<std::string, float>> cases = {
      {wav(1, 8, std::string("\x40\xc0", 2)), -0.5f},
      {wav(1, 16, std::string("\x00\xc0\x00\x40", 4)), -0.5f},
      {wav(1, 24, std::string("\x00\x00\xc0\x00\x00\x40", 6)), -0.5f},
      {wav(1, 32, std::string("\x00\x00\x00\xc0\x00\x00\x00\x40", 8)), -0.5f},
      {wav(3, 32, std::string("\x00\x00\x00\xbf\x00\x00\x00\x3f", 8)), -0.5f}};
  for (const auto& [bytes, first] : cases) {
    absl::StatusOr<AudioClip> clip = decoder_->DecodeAudio(BytesMedia(bytes));
    ASSERT_TRUE(clip.ok()) << clip.status();
    ASSERT_EQ(clip->samples.sizes(), at::IntArrayRef({1, 2}));
    EXPECT_EQ(clip->samples[0][0].item<float>(), first);
    EXPECT_EQ(clip->samples[0][1].item<float>(), -first);
  }
}

TEST_F(IoTest, Mp4GivesTheSelectedFramesInTheirOrder) {
  constexpr int kCount = 30, kSide = 64;
  std::vector<uint8_t> frames(kCount * kSide * kSide * 3);
  for (int t = 0; t < kCount; ++t) {
    std::fill_n(frames.begin() + t * kSide * kSide * 3, kSide * kSide * 3, t * 8);
  }
  absl::StatusOr<std::string> mp4 = EncodeMp4(frames, kCount, kSide, kSide, 10);
  ASSERT_TRUE(mp4.ok()) << mp4.status();
  int64_t seen = 0;
  absl::StatusOr<VideoClip> clip =
      decoder_->DecodeVideo(BytesMedia(*mp4), [&](int64_t count, double) {
        seen = count;
        return std::vector<int64_t>{29, 3, 3, 0};
      });
  ASSERT_TRUE(clip.ok()) << clip.status();
  EXPECT_EQ(seen, kCount);
  EXPECT_EQ(clip->source_frame_count, kCount);
  EXPECT_NEAR(clip->frames_per_second, 10, 1e-6);
  ASSERT_EQ(clip->frames.sizes(), at::IntArrayRef({4, kSide, kSide, 3}));
  const int expected[] = {232, 24, 24, 0};
  for (int slot = 0; slot < 4; ++slot) {
    EXPECT_NEAR(clip->frames[slot].to(at::kFloat).mean().item<float>(), expected[slot], 3) << slot;
  }
  EXPECT_EQ(Select(BytesMedia(*mp4), {30}).code(), absl::StatusCode::kOutOfRange);
}

TEST_F(IoTest, DamagedMediaAreRefusedWithTheirName) {
  const std::string png = ReadText(kMedia + "noise_64x64.png"),
                    jpg = ReadText(kMedia + "mix_97x131.jpg");
  const std::string wav = ReadText(kMedia + "tone_48k_mono.wav");
  std::vector<uint8_t> frames = Ramp(20 * 32 * 32 * 3);
  const std::string mp4 = EncodeMp4(frames, 20, 32, 32, 10).value();
  std::string flipped = png;
  flipped[5000] ^= 0x40;
  const std::vector<std::pair<std::string, std::string>> images = {
      {"empty.png", ""},
      {"cut.png", png.substr(0, png.size() / 2)},
      {"header.png", png.substr(0, 20)},
      {"flipped.png", flipped},
      {"cut.jpg", jpg.substr(0, jpg.size() / 2)},
      {"text.png", "these are not pixels at all, but words"},
      {"sound.png", wav},
      {"video.png", mp4},
      {"playlist.png", "ffconcat version 1.0\nfile secret.ts\n"}};
  for (const auto& [name, bytes] : images) {
    absl::Status status =
        decoder_->DecodeImage(BytesMedia(bytes, name), PixelFormat::kRgb8).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << ": " << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), name + ": expected")) << status;
  }
  const std::vector<std::pair<std::string, std::string>> sounds = {
      {"empty.wav", ""},
      {"cut.wav", wav.substr(0, wav.size() / 2)},
      {"header.wav", wav.substr(0, 44)},
      {"picture.wav", png},
      {"text.wav", "RIFF but then nothing that fits"},
      {"playlist.wav", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.ts\n"}};
  for (const auto& [name, bytes] : sounds) {
    absl::Status status = decoder_->DecodeAudio(BytesMedia(bytes, name)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << ": " << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), name + ": expected")) << status;
  }
  const std::vector<std::pair<std::string, std::string>> videos = {
      {"empty.mp4", ""},
      {"cut.mp4", mp4.substr(0, mp4.size() / 2)},
      {"picture.mp4", png},
      {"sound.mp4", wav}};
  for (const auto& [name, bytes] : videos) {
    absl::Status status = Select(BytesMedia(bytes, name), {0});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << ": " << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), name + ": expected")) << status;
  }
}

TEST_F(IoTest, MediaNeverReadOtherFiles) {
  // The files that the playlists name are there, whole, and in the current folder.
  const std::string home = std::filesystem::current_path(), scratch = ::testing::TempDir();
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(scratch + name, std::ios::binary) << bytes;
  };
  const std::string mp4 = EncodeMp4(Ramp(6 * 16 * 16 * 3), 6, 16, 16, 10).value();
  write("v.mp4", mp4);
  write("s.wav", ReadText(kMedia + "tone_48k_mono.wav"));
  write("i1.png", ReadText(kMedia + "noise_64x64.png"));
  const std::string hls = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n";
  const std::string sdp =
      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
      "m=audio 40000 RTP/AVP 0\n";
  const std::pair<const char*, std::string> playlists[] = {
      {"concat_video.mp4", "ffconcat version 1.0\nfile v.mp4"},
      {"concat_sound.wav", "ffconcat version 1.0\nfile s.wav"},
      {"concat_image.png", "ffconcat version 1.0\nfile i1.png"},
      {"hls_video.m3u8", hls + "v.mp4\n#EXT-X-ENDLIST\n"},
      {"hls_sound.m3u8", hls + "s.wav\n#EXT-X-ENDLIST\n"},
      {"call.sdp", sdp},
      {"i%d.png", "i%d.png"},
      {"list.mpd",
       "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
       "profiles=\"urn:mpeg:dash:profile:isoff-main:2011\"><Period><BaseURL>v.mp4"
       "</BaseURL></Period></MPD>"}};
  std::filesystem::current_path(scratch);
  EXPECT_TRUE(Select(BytesMedia(mp4), {0}).ok());
  for (const auto& [name, bytes] : playlists) {
    write(name, bytes);
    MediaSource file;
    file.path = name;
    for (const MediaSource& media : {file, BytesMedia(bytes, name)}) {
      for (const absl::Status& status :
           {Select(media, {0}), decoder_->DecodeAudio(media).status(),
            decoder_->DecodeImage(media, PixelFormat::kRgb8).status()}) {
        EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << ": " << status;
        EXPECT_TRUE(absl::StrContains(status.message(), "no accepted format")) << status;
      }
    }
  }
  std::filesystem::current_path(home);
}

TEST_F(IoTest, AGiantPngIsCalledGiantAndNotDamaged) {
  std::string png = ReadText(kMedia + "noise_64x64.png");
  png.replace(16, 8, std::string("\x00\x01\x86\xa0\x00\x01\x86\xa0", 8));
  const absl::Status status = decoder_->DecodeImage(BytesMedia(png), PixelFormat::kRgb8).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "100000 x 100000")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "at most 67108864 pixels")) << status;
}

TEST_F(IoTest, MissingFilesAreNotFound) {
  MediaSource media;
  media.path = "no/such/file.png";
  EXPECT_EQ(decoder_->DecodeImage(media, PixelFormat::kRgb8).status().code(),
            absl::StatusCode::kNotFound);
  media.path = "tests/golden/media";
  EXPECT_EQ(decoder_->DecodeImage(media, PixelFormat::kRgb8).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(IoTest, LimitsAreNamedBeforeMemoryIsSpent) {
  DecoderOptions options;
  options.max_pixels = 1000;
  options.max_seconds = 0.1;
  options.max_frames = 5;
  const std::unique_ptr<MediaDecoder> strict = NewFfmpegDecoder(options);
  for (const char* name : {"noise_64x64.png", "mix_97x131.jpg"}) {
    absl::Status status = strict->DecodeImage(FileMedia(name), PixelFormat::kRgb8).status();
    EXPECT_TRUE(absl::StrContains(status.message(), "at most 1000 pixels")) << status;
  }
  absl::Status status = strict->DecodeAudio(FileMedia("tone_48k_mono.wav")).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "max_seconds")) << status;
  const std::string mp4 = EncodeMp4(Ramp(6 * 16 * 16 * 3), 6, 16, 16, 10).value();
  status =
      strict->DecodeVideo(BytesMedia(mp4), [](int64_t, double) { return std::vector<int64_t>{0}; })
          .status();
  EXPECT_TRUE(absl::StrContains(status.message(), "max_frames")) << status;
}

TEST_F(IoTest, EncodersRefuseSizesThatDoNotFit) {
  EXPECT_EQ(EncodePng(Ramp(10), 2, 2, 3).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodePng(Ramp(8), 2, 2, 2).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodeMp4(Ramp(10), 1, 2, 2, 10).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodeWav({}, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(IoTest, ThreadsDecodeAtOnce) {
  const at::Tensor expected = Image(FileMedia("mix_97x131.jpg"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        EXPECT_TRUE(at::equal(Image(FileMedia("mix_97x131.jpg")), expected));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(IoTest, TheFormatsThatTheToolsWriteAreAvailable) {
  int available = 0;
  for (const FormatSupport& format : ListFormats()) {
    available += format.available;
    if (format.name == "png" || format.name == "jpeg" || format.name == "wav" ||
        format.name == "mp4 (mpeg4)") {
      EXPECT_TRUE(format.available) << format.name;
    }
  }
  EXPECT_GE(available, 10);
}

}  // namespace
}  // namespace unival
