// A media format that is added outside modalities/io. It needs its own file and one entry in the
// table of one decoder or of the program.
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "modalities/io/encode.h"
#include "sdk/base/registered.h"
#include "sdk/base/test_files.h"
#include "tests/plug_points/grid_format.h"
#include "training/data/files/test_files.h"
#include "training/data/read/media_files.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MediaSource Bytes(std::string bytes) {
  return {"picture", "", std::make_shared<const std::string>(std::move(bytes))};
}

// A format for the whole program: all decoders and all code that checks file names use it.
MediaFormat DotsFormat() {
  MediaFormat format = GridFormat();
  format.name = "dots";
  format.extensions = {"dots"};
  format.matches = [](absl::string_view head) { return absl::StartsWith(head, "DOTS"); };
  return format;
}

const Registered<MediaFormat> kDotsFormat(DotsFormat());
const std::string kDots = std::string("DOTS") + '\x03' + '\x02' + "abcdef";

SourceOptions At(const std::string& path) {
  SourceOptions options;
  options.path = path;
  return options;
}

void ExpectDots(const Source& source) {
  ASSERT_EQ(source.size(), 1);
  const absl::StatusOr<TaskSample> sample = source.Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  const auto& media = std::get<MediaSource>(sample->fields.at("image"));
  EXPECT_TRUE(NewFfmpegDecoder()->DecodeImage(media, PixelFormat::kGray8).ok());
}

const std::string kGrid = std::string("GRID") + '\x03' + '\x02' + "abcdef";

TEST(Decoder, ReadsAFormatThatATestAdds) {
  const auto decoder = NewMediaDecoder({}, {GridFormat()});
  const auto pixels = decoder->DecodeImage(Bytes(kGrid), PixelFormat::kGray8);
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_TRUE(at::equal(pixels->flatten(), at::tensor({97, 98, 99, 100, 101, 102}, at::kByte)));
  EXPECT_EQ(pixels->sizes(), at::IntArrayRef({2, 3, 1}));
  EXPECT_EQ(decoder->DecodeImage(Bytes(kGrid), PixelFormat::kRgb8)->sizes(),
            at::IntArrayRef({2, 3, 3}));
}

TEST(Decoder, ARegisteredFormatIsReadFromFoldersTarsAndClasses) {
  const std::string folder = NewFolder();
  WriteText(folder + "/classes/cat/1.DOTS", kDots);
  WriteText(folder + "/classes/cat/README.md", "about");
  const auto tar = OpenSource(At(WriteTar(folder + "/a.tar", {{"1.dots", kDots}})));
  ASSERT_TRUE(tar.ok()) << tar.status();
  ExpectDots(**tar);
  const auto classes = OpenSource(At(folder + "/classes"));
  ASSERT_TRUE(classes.ok()) << classes.status();
  ExpectDots(**classes);
  const auto files = ExpandMediaPath(folder, "image");
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(files->paths, ElementsAre(folder + "/classes/cat/1.DOTS"));
  EXPECT_THAT(files->remarks, ElementsAre(HasSubstr("1 file left out")));
  const auto listed = ListFormats();
  EXPECT_TRUE(std::any_of(listed.begin(), listed.end(),
                          [](const FormatSupport& format) { return format.name == "dots"; }));
}

TEST(Decoder, RefusesTheFormatWithoutItsEntry) {
  const auto refused = NewFfmpegDecoder()->DecodeImage(Bytes(kGrid), PixelFormat::kGray8);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("that no accepted format fits"));
}

TEST(Decoder, GivesTheEntryItsLimits) {
  DecoderOptions options;
  options.max_pixels = 5;
  const auto refused =
      NewMediaDecoder(options, {GridFormat()})->DecodeImage(Bytes(kGrid), PixelFormat::kGray8);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("at most 5 pixels"));
  options.max_bytes = 8;  // the host's own limit is checked first
  const auto large =
      NewMediaDecoder(options, {GridFormat()})->DecodeImage(Bytes(kGrid), PixelFormat::kGray8);
  EXPECT_THAT(std::string(large.status().message()), HasSubstr("at most 8 bytes"));
}

TEST(Decoder, ReadsTheFormatsThatShipBesideAnAddedOne) {
  const auto decoder = NewMediaDecoder({}, {GridFormat()});
  const std::vector<uint8_t> grey = {1, 2, 3, 4, 5, 6};
  const auto pixels = decoder->DecodeImage(Bytes(*EncodePng(grey, 3, 2, 1)), PixelFormat::kGray8);
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_TRUE(at::equal(pixels->flatten(), at::tensor({1, 2, 3, 4, 5, 6}, at::kByte)));
  const std::vector<float> samples = {0, 0.5, -0.5};
  const auto sound = decoder->DecodeAudio(Bytes(*EncodeWav(samples, 8000)));
  ASSERT_TRUE(sound.ok()) << sound.status();
  EXPECT_EQ(sound->samples.sizes(), at::IntArrayRef({1, 3}));
}

TEST(Decoder, LooksForAFormatOnlyAmongThoseOfTheWantedKind) {
  const auto refused = NewMediaDecoder({}, {GridFormat()})->DecodeAudio(Bytes(kGrid));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("expected audio"));
}

}  // namespace
}  // namespace unival
