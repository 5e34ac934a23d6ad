// A media format from outside modalities/io: its own file, one entry in the decoder's table.
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "modalities/io/encode.h"
#include "tests/plug_points/grid_format.h"

namespace unival {
namespace {

using testing::HasSubstr;

MediaSource Bytes(std::string bytes) {
  return {"picture", "", std::make_shared<const std::string>(std::move(bytes))};
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
  options.max_bytes = 8;  // the host's own limit comes first
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
