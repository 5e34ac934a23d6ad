// Pictures in practice: rotated, in every file format, with unusual parts, truncated.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/io/orientation.h"
#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/media.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

constexpr int kHeight = 32, kWidth = 48;

MediaSource Bytes(std::string bytes, std::string name = "picture") {
  MediaSource media;
  media.name = std::move(name);
  media.bytes = std::make_shared<const std::string>(std::move(bytes));
  return media;
}

absl::StatusOr<at::Tensor> Decode(const std::string& bytes,
                                  PixelFormat format = PixelFormat::kRgb8) {
  static const auto* const kDecoder = NewFfmpegDecoder().release();
  return kDecoder->DecodeImage(Bytes(bytes), format);
}

at::Tensor Decoded(const std::string& bytes) {
  absl::StatusOr<at::Tensor> pixels = Decode(bytes);
  EXPECT_TRUE(pixels.ok()) << pixels.status();
  return pixels.ok() ? *pixels : at::Tensor();
}

void ExpectRefused(const std::string& bytes, const std::string& what) {
  const absl::Status status = Decode(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what << ": " << status;
  EXPECT_TRUE(IsMediaError(status)) << what;
  EXPECT_TRUE(absl::StartsWith(status.message(), "picture: expected")) << status;
}

std::vector<uint8_t> Picture() { return TestPicture(kHeight, kWidth); }

at::Tensor Stored() {
  static const std::vector<uint8_t>* const kPixels = new std::vector<uint8_t>(Picture());
  return at::from_blob(const_cast<uint8_t*>(kPixels->data()), {kHeight, kWidth, 3}, at::kByte);
}

std::string Png() { return EncodePng(Picture(), kWidth, kHeight, 3).value(); }

// Tag 274 by the EXIF specification: the side of the first row and of the first column.
at::Tensor Upright(const at::Tensor& stored, int orientation) {
  switch (orientation) {
    case 2:
      return stored.flip(1);
    case 3:
      return stored.flip({0, 1});
    case 4:
      return stored.flip(0);
    case 5:
      return stored.transpose(0, 1);
    case 6:
      return stored.transpose(0, 1).flip(1);
    case 7:
      return stored.transpose(0, 1).flip({0, 1});
    case 8:
      return stored.transpose(0, 1).flip(0);
    default:
      return stored;
  }
}

struct Turned {
  const char* format;
  std::function<std::string(int orientation)> make;
};

std::vector<Turned> TurnedFormats() {
  return {
      {"jpeg",
       [](int o) {
         JpegSetting setting;
         setting.exif = ExifWith(o);
         return MakeJpeg(Picture(), kHeight, kWidth, setting);
       }},
      {"png", [](int o) { return WithPngChunk(Png(), PngChunk("eXIf", ExifWith(o).substr(6))); }},
      {"webp", [](int o) { return MakeWebp(Picture(), kHeight, kWidth, -1, ExifWith(o)); }},
      {"lossy webp", [](int o) { return MakeWebp(Picture(), kHeight, kWidth, 90, ExifWith(o)); }},
      {"tiff", [](int o) {
         TiffSetting setting;
         setting.orientation = o;
         return MakeTiff(Picture(), kHeight, kWidth, setting);
       }}};
}

TEST(PicturesTest, TheOrientationThatAFileStatesIsApplied) {
  for (const Turned& format : TurnedFormats()) {
    const at::Tensor stored = Decoded(format.make(1));
    ASSERT_EQ(stored.size(0), kHeight);
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const at::Tensor pixels = Decoded(format.make(orientation));
      const at::Tensor expected = Upright(stored, orientation);
      ASSERT_EQ(pixels.sizes(), expected.sizes()) << format.format << " " << orientation;
      EXPECT_EQ(MaxDifference(pixels, expected), 0) << format.format << " " << orientation;
    }
  }
}

// `avif` with another property in the place of a box, which keeps its length.
std::string WithProperty(std::string avif, const std::string& old, const std::string& type,
                         char value) {
  const size_t at = avif.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  if (at != std::string::npos) avif.replace(at, 5, type + value);
  return avif;
}

// Order of the properties: the mirror image first, then the turn, as the file lists them.
TEST(PicturesTest, AvifIsTurnedByItsProperties) {
  VideoSetting setting;
  setting.container = "avif";
  setting.codec = "libaom-av1";
  setting.frames = 1;
  setting.width = kWidth, setting.height = kHeight;
  setting.picture = [](int) { return Picture(); };
  const std::string avif = MakeVideo(setting);
  ASSERT_FALSE(avif.empty());
  const std::string plain = WithProperty(avif, "colr", "irot", 0);
  const at::Tensor stored = Decoded(plain);
  ASSERT_EQ(stored.size(0), kHeight);
  const int turned[] = {1, 8, 3, 6}, mirrored[] = {4, 2};
  for (char turn = 0; turn < 4; ++turn) {
    const std::string bytes = WithProperty(avif, "colr", "irot", turn);
    EXPECT_EQ(MaxDifference(Decoded(bytes), Upright(stored, turned[+turn])), 0) << +turn;
    for (char axis = 0; axis < 2; ++axis) {
      const at::Tensor mirror = Upright(stored, mirrored[+axis]);
      const at::Tensor both = Decoded(WithProperty(bytes, "pixi", "imir", axis));
      EXPECT_EQ(MaxDifference(both, Upright(mirror, turned[+turn])), 0) << +turn << " " << +axis;
    }
  }
  const std::string bytes = WithProperty(avif, "colr", "irot", 1);
  const auto as_stored =
      NewFfmpegDecoder()->as_stored().DecodeImage(Bytes(bytes), PixelFormat::kRgb8);
  ASSERT_TRUE(as_stored.ok()) << as_stored.status();
  EXPECT_EQ(MaxDifference(*as_stored, stored), 0);
}

TEST(PicturesTest, AsStoredLeavesPicturesOnTheirSide) {
  const auto decoder = NewFfmpegDecoder();
  for (const Turned& format : TurnedFormats()) {
    const auto pixels = decoder->as_stored().DecodeImage(Bytes(format.make(6)), PixelFormat::kRgb8);
    ASSERT_TRUE(pixels.ok()) << pixels.status();
    EXPECT_EQ(MaxDifference(*pixels, Decoded(format.make(1))), 0) << format.format;
  }
}

TEST(PicturesTest, DamagedExifTurnsNothing) {
  const std::string exif = ExifWith(6);
  EXPECT_EQ(ExifOrientation(exif), Orientation::kRight);
  EXPECT_EQ(ExifOrientation(exif.substr(6)), Orientation::kRight);
  for (size_t size = 0; size + 8 < exif.size(); ++size) {
    EXPECT_EQ(ExifOrientation(exif.substr(0, size)), Orientation::kUpright) << size;
  }
  EXPECT_EQ(ExifOrientation(ExifWith(9)), Orientation::kUpright);
  EXPECT_EQ(ExifOrientation(ExifWith(0)), Orientation::kUpright);
}

TEST(PicturesTest, JpegOfEveryKindIsNearWhatWasStored) {
  for (const JpegKind kind : {JpegKind::kColour, JpegKind::kCmyk, JpegKind::kYcck}) {
    for (const bool progressive : {false, true}) {
      JpegSetting setting;
      setting.kind = kind;
      setting.progressive = progressive;
      setting.subsampled = false;
      const at::Tensor pixels = Decoded(MakeJpeg(Picture(), kHeight, kWidth, setting));
      EXPECT_LT(MaxDifference(pixels, Stored()), 16) << static_cast<int>(kind) << progressive;
    }
  }
  // Half-size chroma is interpolated alike, whatever the fourth channel.
  JpegSetting colour, inks;
  inks.kind = JpegKind::kYcck;
  EXPECT_LT(MaxDifference(Decoded(MakeJpeg(Picture(), kHeight, kWidth, colour)),
                          Decoded(MakeJpeg(Picture(), kHeight, kWidth, inks))),
            8);
}

TEST(PicturesTest, WebpIsDecodedByItsLibrary) {
  EXPECT_EQ(MaxDifference(Decoded(MakeWebp(Picture(), kHeight, kWidth)), Stored()), 0);
  EXPECT_EQ(MaxDifference(Decoded(MakeAnimatedWebp(Picture(), kHeight, kWidth)), Stored()), 0);
  const absl::StatusOr<at::Tensor> grey =
      Decode(MakeWebp(Picture(), kHeight, kWidth), PixelFormat::kGray8);
  ASSERT_TRUE(grey.ok()) << grey.status();
  EXPECT_EQ(MaxDifference(*grey, *Decode(Png(), PixelFormat::kGray8)), 0);
}

TEST(PicturesTest, TiffOfEveryLayoutGivesTheSamePixels) {
  constexpr int kNone = 1, kLzw = 5, kJpeg = 7, kDeflate = 8;
  for (const int compression : {kNone, kLzw, kDeflate, kJpeg}) {
    for (const int tile : {0, 16}) {
      for (const bool separate : {false, true}) {
        if (compression == kJpeg && separate) continue;
        TiffSetting setting;
        setting.compression = compression;
        setting.tile = tile;
        setting.separate_planes = separate;
        setting.has_odd_tags = true;
        setting.pages = 2;
        const at::Tensor pixels = Decoded(MakeTiff(Picture(), kHeight, kWidth, setting));
        EXPECT_LE(MaxDifference(pixels, Stored()), compression == kJpeg ? 90 : 0)
            << compression << " " << tile << " " << separate;
      }
    }
  }
}

TEST(PicturesTest, WhatSaysNothingAboutThePixelsOfAPngIsNotRead) {
  const std::string broken = PngChunk("iCCP", std::string("x\0\0these are no packed bytes", 27));
  EXPECT_EQ(MaxDifference(Decoded(WithPngChunk(Png(), broken)), Stored()), 0);
  std::string wrong_sum = PngChunk("tEXt", "Title");
  wrong_sum.back() ^= 1;
  EXPECT_EQ(MaxDifference(Decoded(WithPngChunk(Png(), wrong_sum)), Stored()), 0);
}

// Some programs write a smaller window size into the header of the compressed data than they use.
TEST(PicturesTest, APngThatUnderstatesItsWindowIsRead) {
  constexpr int kRepeats = 16;
  std::vector<uint8_t> rgb(3 * kWidth * kHeight);
  uint32_t noise = 1;
  for (size_t i = 0; i < rgb.size(); ++i) {
    const size_t before = 3 * kWidth * kRepeats;
    noise = noise * 1664525 + 1013904223;
    rgb[i] = i < before ? static_cast<uint8_t>(noise >> 24) : rgb[i - before];
  }
  const std::string png = EncodePng(rgb, kWidth, kHeight, 3).value();
  const size_t at = png.find("IDAT");
  const auto length = static_cast<size_t>(BigEndian(png.substr(at - 4, 4), 4));
  std::string data = png.substr(at + 4, length);
  data.replace(0, 2, "\x18\x19");  // 512 bytes, as RFC 1950 writes them
  const std::string odd =
      png.substr(0, at - 4) + PngChunk("IDAT", data) + png.substr(at + 8 + length);
  EXPECT_EQ(MaxDifference(Decoded(odd), Decoded(png)), 0);
}

// 16 x 16 of one colour a row in run-length codes.
TEST(PicturesTest, RunLengthCodesOfABmpHaveToReachItsEnd) {
  constexpr int kSide = 16, kBegin = 14 + 40 + 4 * 256;
  const auto bmp = [](const std::string& codes) {
    std::string head = "BM" + LittleEndianBytes(kBegin + codes.size(), 4) +
                       LittleEndianBytes(0, 4) + LittleEndianBytes(kBegin, 4);
    head += LittleEndianBytes(40, 4) + LittleEndianBytes(kSide, 4) + LittleEndianBytes(kSide, 4) +
            LittleEndianBytes(1, 2) + LittleEndianBytes(8, 2) + LittleEndianBytes(1, 4) +
            LittleEndianBytes(codes.size(), 4) + std::string(16, '\0');
    for (int i = 0; i < 256; ++i) head += std::string(3, static_cast<char>(i)) + '\0';
    return head + codes;
  };
  std::string codes;
  for (int row = 0; row < kSide; ++row) codes += std::string{kSide, static_cast<char>(row), 0, 0};
  const std::string end("\0\1", 2);
  const at::Tensor pixels = Decoded(bmp(codes + end));
  EXPECT_EQ(pixels[0][0][0].item<int>(), kSide - 1) << "rows come from the bottom";
  EXPECT_EQ(MaxDifference(Decoded(bmp(codes)), pixels), 0) << "without the mark of the end";
  ExpectRefused(bmp(codes.substr(0, codes.size() / 2)), "cut between codes");
  ExpectRefused(bmp(codes.substr(0, codes.size() / 2 - 1)), "cut within a code");
}

TEST(PicturesTest, BytesBehindTheEndAreNoneOfThePicture) {
  const std::string junk = std::string(300, '\0') + "\xff\xda\xff\xd8 and a video";
  for (const Turned& format : TurnedFormats()) {
    EXPECT_EQ(MaxDifference(Decoded(format.make(1) + junk), Decoded(format.make(1))), 0)
        << format.format;
  }
  EXPECT_EQ(MaxDifference(Decoded(MakeGif(2, 16) + junk), Decoded(MakeGif(2, 16))), 0);
  JpegSetting progressive;
  progressive.progressive = true;
  EXPECT_TRUE(Decode(MakeJpeg(Picture(), kHeight, kWidth, progressive) + junk).ok());
}

// Each format has data that makes a file complete. A file with this data is complete, whatever
// follows; a file without it is truncated.
TEST(PicturesTest, CutPicturesAreRefused) {
  JpegSetting progressive;
  progressive.progressive = true;
  const std::pair<const char*, std::string> whole[] = {
      {"jpeg", MakeJpeg(Picture(), kHeight, kWidth)},
      {"progressive jpeg", MakeJpeg(Picture(), kHeight, kWidth, progressive)},
      {"png", Png()},
      {"webp", MakeWebp(Picture(), kHeight, kWidth)},
      {"lossy webp", MakeWebp(Picture(), kHeight, kWidth, 80)},
      {"pgm", "P5\n16 16\n255\n" + std::string(256, 'x')}};
  for (const auto& [name, bytes] : whole) {
    ASSERT_TRUE(Decode(bytes).ok()) << name;
    ExpectRefused(bytes.substr(0, bytes.size() * 2 / 3), name);
    ExpectRefused(bytes.substr(0, bytes.size() - 20), name);
  }
  // The last two bytes of a JPEG are its end marker; a PNG may lack its own, not pixels.
  const std::string jpeg = MakeJpeg(Picture(), kHeight, kWidth);
  ExpectRefused(jpeg.substr(0, jpeg.size() - 2), "jpeg without its end");
  const std::string png = Png();
  EXPECT_EQ(MaxDifference(Decoded(png.substr(0, png.size() - 12)), Stored()), 0);
  ExpectRefused(png.substr(0, png.size() - 13), "png without the last sum");
  // The pixels of a TIFF stand before its directory here.
  const std::string tiff = MakeTiff(Picture(), kHeight, kWidth);
  ASSERT_TRUE(Decode(tiff).ok());
  ExpectRefused(tiff.substr(0, tiff.size() / 2), "tiff");
}

TEST(PicturesTest, ValuesThatMeanNothingAreNamed) {
  absl::Status status = Decode("P5\n2 2\n0\nabcd").status();
  EXPECT_TRUE(absl::StrContains(status.message(), "greatest value 0")) << status;
  status = Decode("P5\n2 2\n70000\nabcdabcd").status();
  EXPECT_TRUE(absl::StrContains(status.message(), "70000")) << status;
  ExpectRefused("P5\n0 2\n255\nabcd", "no width");
  // Markers of a JPEG with inks, and no scan.
  JpegSetting inks;
  inks.kind = JpegKind::kCmyk;
  const std::string jpeg = MakeJpeg(Picture(), kHeight, kWidth, inks);
  const size_t scan = jpeg.find("\xff\xda");
  ASSERT_NE(scan, std::string::npos);
  ExpectRefused(jpeg.substr(0, scan) + "\xff\xd9", "no scan");
}

TEST(PicturesTest, OnlyListedFormatsAreOpened) {
  const std::string sun = BigEndianBytes(0x59a66a95, 4) + BigEndianBytes(4, 4) +
                          BigEndianBytes(4, 4) + BigEndianBytes(8, 4) + BigEndianBytes(16, 4) +
                          BigEndianBytes(1, 4) + BigEndianBytes(1, 4) + BigEndianBytes(768, 4) +
                          std::string(300, '\0');
  const std::string qoi =
      "qoif" + BigEndianBytes(16000, 4) + BigEndianBytes(16000, 4) + std::string(38, '\3');
  const std::string xpm =
      "/* XPM */\nstatic char *x[] = {\n\"20000 20000 1 1\",\n\"a c #000000\"};";
  for (const std::string& bytes : {sun, qoi, xpm}) {
    const absl::Status status = Decode(bytes).status();
    EXPECT_TRUE(absl::StrContains(status.message(), "no accepted format")) << status;
  }
}

}  // namespace
}  // namespace unival
