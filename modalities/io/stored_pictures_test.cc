// Pictures in unusual layouts of BMP, TIFF and PNG. They are written here byte by byte, so that the
// right pixels are known without another decoder.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/decoder.h"
#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"

namespace unival {
namespace {

constexpr int kWide = 13, kHigh = 11;

using Rgb = std::vector<uint8_t>;  // of all pixels, rows from the top

// Repeatable values that cover the whole range.
uint32_t Draw(uint32_t index) {
  index = (index + 1) * 2654435761u;
  return (index ^ (index >> 15)) * 2246822519u >> 24;
}

// Of the pixel of a row and column, below 2^bits.
int Level(int row, int column, int bits) {
  return static_cast<int>(Draw(row * kWide + column)) & ((1 << bits) - 1);
}
uint8_t Colour(int entry, int channel) { return Draw(1000 + 3 * entry + channel) & 0xff; }
uint8_t Of8Bits(int level, int bits) {
  return static_cast<uint8_t>(std::lround(level * 255.0 / ((1 << bits) - 1)));
}

Rgb Expected(const std::function<uint8_t(int row, int column, int channel)>& value) {
  Rgb rgb;
  for (int row = 0; row < kHigh; ++row) {
    for (int column = 0; column < kWide; ++column) {
      for (int channel = 0; channel < 3; ++channel) rgb.push_back(value(row, column, channel));
    }
  }
  return rgb;
}

// A row of levels, the first in the high bits, then filled up to `multiple` bytes.
std::string PackedRow(int row, int bits, size_t multiple) {
  std::string bytes;
  int held = 0, count = 0;
  for (int column = 0; column < kWide; ++column) {
    held = held << bits | Level(row, column, bits);
    count += bits;
    if (count < 8) continue;
    bytes.push_back(static_cast<char>(held));
    held = count = 0;
  }
  if (count > 0) bytes.push_back(static_cast<char>(held << (8 - count)));
  bytes.resize((bytes.size() + multiple - 1) / multiple * multiple);
  return bytes;
}

absl::StatusOr<at::Tensor> PixelsOf(const std::string& name, const std::string& bytes) {
  static const auto* const kDecoder = NewFfmpegDecoder().release();
  MediaSource media;
  media.name = name;
  media.bytes = std::make_shared<const std::string>(bytes);
  return kDecoder->DecodeImage(media, PixelFormat::kRgb8);
}

void ExpectPixels(const std::string& name, const std::string& bytes, const Rgb& right,
                  int tolerance = 0) {
  const absl::StatusOr<at::Tensor> pixels = PixelsOf(name, bytes);
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  ASSERT_EQ(pixels->sizes(), (at::IntArrayRef{kHigh, kWide, 3})) << name;
  const at::Tensor whole = pixels->contiguous();
  const uint8_t* found = whole.data_ptr<uint8_t>();
  int most = 0;
  for (size_t i = 0; i < right.size(); ++i) most = std::max(most, std::abs(found[i] - right[i]));
  EXPECT_LE(most, tolerance) << name;
}

// ---- BMP.

struct BmpSetting {
  int header = 40, bits = 24, compression = 0, palette = 0;  // entries of it
  bool top_down = false;
  std::vector<uint32_t> masks;
};

std::string Bmp(const BmpSetting& setting, const std::string& data) {
  std::string header;
  if (setting.header == 12) {
    header = LittleEndianBytes(12, 4) + LittleEndianBytes(kWide, 2) + LittleEndianBytes(kHigh, 2) +
             LittleEndianBytes(1, 2) + LittleEndianBytes(setting.bits, 2);
  } else {
    header = LittleEndianBytes(setting.header, 4) + LittleEndianBytes(kWide, 4) +
             LittleEndianBytes(static_cast<uint32_t>(setting.top_down ? -kHigh : kHigh), 4) +
             LittleEndianBytes(1, 2) + LittleEndianBytes(setting.bits, 2) +
             LittleEndianBytes(setting.compression, 4) + LittleEndianBytes(data.size(), 4) +
             LittleEndianBytes(0, 8) + LittleEndianBytes(setting.palette, 4) +
             LittleEndianBytes(0, 4);
    for (const uint32_t mask : setting.masks) header += LittleEndianBytes(mask, 4);
    if (setting.header > 40) header.resize(setting.header);
  }
  for (int entry = 0; entry < setting.palette; ++entry) {
    for (const int channel : {2, 1, 0}) header.push_back(static_cast<char>(Colour(entry, channel)));
    header.push_back('\0');
  }
  const size_t begin = 14 + header.size();
  return "BM" + LittleEndianBytes(begin + data.size(), 4) + LittleEndianBytes(0, 4) +
         LittleEndianBytes(begin, 4) + header + data;
}

// Rows from the bottom, each filled up to four bytes, of `bytes` for a pixel.
std::string BmpRows(const std::function<uint32_t(int row, int column)>& pixel, int bytes,
                    bool top_down = false) {
  std::string data;
  for (int i = 0; i < kHigh; ++i) {
    const int row = top_down ? i : kHigh - 1 - i;
    for (int column = 0; column < kWide; ++column) {
      data += LittleEndianBytes(pixel(row, column), bytes);
    }
    data.resize((data.size() + 3) / 4 * 4);
  }
  return data;
}

uint8_t True(int row, int column, int channel) {
  return Draw(3 * (row * kWide + column) + channel + 5000) & 0xff;
}

uint32_t Packed(int row, int column, int red, int green, int blue) {
  const auto high = [&](int channel, int bits) {
    return static_cast<uint32_t>(True(row, column, channel)) >> (8 - bits);
  };
  return high(0, red) << (green + blue) | high(1, green) << blue | high(2, blue);
}

TEST(StoredPicturesTest, BmpOfTrueColourInEveryHeaderAndOrder) {
  const Rgb right = Expected(&True);
  const auto plain = [](int row, int column) { return Packed(row, column, 8, 8, 8); };
  for (const int header : {12, 40, 108, 124}) {
    BmpSetting setting;
    setting.header = header;
    ExpectPixels(absl::StrCat("header ", header), Bmp(setting, BmpRows(plain, 3)), right);
    if (header == 12) continue;
    setting.top_down = true;
    ExpectPixels(absl::StrCat("top down ", header), Bmp(setting, BmpRows(plain, 3, true)), right);
  }
  BmpSetting wide;
  wide.bits = 32, wide.compression = 3, wide.masks = {0xff000000u, 0xff0000u, 0xff00u};
  const auto shifted = [&](int row, int column) { return plain(row, column) << 8; };
  ExpectPixels("masks of 32 bits", Bmp(wide, BmpRows(shifted, 4)), right);
}

TEST(StoredPicturesTest, BmpOf16Bits) {
  const auto rounded = [](int green) {
    return Expected([green](int row, int column, int channel) {
      const int bits = channel == 1 ? green : 5;
      return Of8Bits(True(row, column, channel) >> (8 - bits), bits);
    });
  };
  BmpSetting setting;
  setting.bits = 16;
  const auto in_15 = [](int row, int column) { return Packed(row, column, 5, 5, 5); };
  const auto in_16 = [](int row, int column) { return Packed(row, column, 5, 6, 5); };
  ExpectPixels("555", Bmp(setting, BmpRows(in_15, 2)), rounded(5), 1);
  setting.compression = 3, setting.masks = {0xf800, 0x7e0, 0x1f};
  for (const int header : {40, 108, 124}) {
    setting.header = header;
    ExpectPixels(absl::StrCat("565 ", header), Bmp(setting, BmpRows(in_16, 2)), rounded(6), 1);
  }
}

TEST(StoredPicturesTest, BmpOfAPaletteWithAndWithoutRunLengths) {
  for (const int bits : {1, 4, 8}) {
    BmpSetting setting;
    setting.bits = bits, setting.palette = 1 << bits;
    const Rgb right = Expected([bits](int row, int column, int channel) {
      return Colour(Level(row, column, bits), channel);
    });
    std::string plain, runs, literal;
    for (int row = kHigh - 1; row >= 0; --row) {
      plain += PackedRow(row, bits, 4);
      for (int column = 0; column < kWide; ++column) {
        const int level = Level(row, column, bits);
        runs += std::string{'\1', static_cast<char>(bits == 4 ? level << 4 : level)};
      }
      literal += std::string{'\0', static_cast<char>(kWide)} + PackedRow(row, bits, 2);
      runs += std::string(2, '\0'), literal += std::string(2, '\0');
    }
    ExpectPixels(absl::StrCat("palette of ", bits), Bmp(setting, plain), right);
    if (bits == 1) continue;
    setting.compression = bits == 8 ? 1 : 2;
    const std::string end("\0\1", 2);
    ExpectPixels(absl::StrCat("runs of ", bits), Bmp(setting, runs + end), right);
    ExpectPixels(absl::StrCat("literals of ", bits), Bmp(setting, literal + end), right);
  }
}

// Small writers leave the lengths of the file and of the pixels at 0.
TEST(StoredPicturesTest, ABmpThatStatesNoLengthsIsRead) {
  const auto plain = [](int row, int column) { return Packed(row, column, 8, 8, 8); };
  const std::string whole = Bmp(BmpSetting(), BmpRows(plain, 3));
  for (const uint64_t stated : {0, 20}) {
    std::string bmp = whole;
    bmp.replace(2, 4, LittleEndianBytes(stated, 4)).replace(34, 4, LittleEndianBytes(0, 4));
    ExpectPixels(absl::StrCat(stated, " bytes"), bmp, Expected(&True));
    EXPECT_FALSE(PixelsOf("cut", bmp.substr(0, bmp.size() / 2)).ok()) << stated;
  }
}

TEST(StoredPicturesTest, ABmpOfADepthThatIsNotReadIsCalledThat) {
  BmpSetting setting;
  for (const int bits : {2, 48}) {
    setting.bits = bits, setting.palette = bits == 2 ? 4 : 0;
    const absl::Status status = PixelsOf("deep", Bmp(setting, std::string(4096, '\0'))).status();
    EXPECT_NE(status.message().find(absl::StrCat("a BMP of ", bits, " bits per pixel. 1, 4, 8")),
              absl::string_view::npos)
        << status;
  }
}

// ---- TIFF.

class Tiff {
 public:
  explicit Tiff(bool is_big_endian = false) : is_big_endian_(is_big_endian) {}

  // Type 3, 16 bits, or 4, 32 bits.
  Tiff& Set(int tag, std::vector<uint32_t> values, int type = 3) {
    fields_[tag] = {type, std::move(values)};
    return *this;
  }
  Tiff& Drop(int tag) {
    fields_.erase(tag);
    return *this;
  }

  // Of one strip unless the fields say otherwise.
  static Tiff Of(int bits, int samples, int photometric, size_t bytes, bool is_big_endian = false) {
    Tiff tiff(is_big_endian);
    return tiff.Set(256, {kWide})
        .Set(257, {kHigh})
        .Set(258, std::vector<uint32_t>(samples, bits))
        .Set(259, {1})
        .Set(262, {static_cast<uint32_t>(photometric)})
        .Set(273, {8}, 4)
        .Set(277, {static_cast<uint32_t>(samples)})
        .Set(278, {kHigh})
        .Set(279, {static_cast<uint32_t>(bytes)}, 4);
  }

  std::string With(std::string data) const {
    data.resize((data.size() + 1) / 2 * 2);
    const size_t directory = 8 + data.size();
    size_t behind = directory + 2 + 12 * fields_.size() + 4;
    std::string entries, far;
    for (const auto& [tag, field] : fields_) {
      const auto& [type, values] = field;
      std::string bytes;
      for (const uint32_t value : values) bytes += Number(value, type == 3 ? 2 : 4);
      entries += Number(tag, 2) + Number(type, 2) + Number(values.size(), 4);
      if (bytes.size() <= 4) {
        bytes.resize(4);
        entries += bytes;
      } else {
        entries += Number(behind + far.size(), 4);
        far += bytes;
      }
    }
    return (is_big_endian_ ? std::string("MM\0*", 4) : std::string("II*\0", 4)) +
           Number(directory, 4) + data + Number(fields_.size(), 2) + entries + Number(0, 4) + far;
  }

  std::string Number(uint64_t value, int bytes) const {
    return is_big_endian_ ? BigEndianBytes(value, bytes) : LittleEndianBytes(value, bytes);
  }

 private:
  bool is_big_endian_;
  std::map<int, std::pair<int, std::vector<uint32_t>>> fields_;
};

std::string PackedRows(int bits) {
  std::string data;
  for (int row = 0; row < kHigh; ++row) data += PackedRow(row, bits, 1);
  return data;
}

TEST(StoredPicturesTest, TiffOfGreyAndPaletteOfEveryDepthAndOrder) {
  for (const bool is_big_endian : {false, true}) {
    for (const int bits : {1, 2, 4, 8}) {
      const std::string name = absl::StrCat(bits, " bits ", is_big_endian), data = PackedRows(bits);
      const auto of = [&](int photometric) {
        return Tiff::Of(bits, 1, photometric, data.size(), is_big_endian);
      };
      const auto grey = [bits](int row, int column, int) {
        return Of8Bits(Level(row, column, bits), bits);
      };
      ExpectPixels("black is 0, " + name, of(1).With(data), Expected(grey));
      ExpectPixels("white is 0, " + name, of(0).With(data), Expected([&](int row, int column, int) {
                     return static_cast<uint8_t>(255 - grey(row, column, 0));
                   }));
      std::vector<uint32_t> wide, narrow;
      for (int channel = 0; channel < 3; ++channel) {
        for (int entry = 0; entry < 1 << bits; ++entry) {
          narrow.push_back(Colour(entry, channel));
          wide.push_back(narrow.back() * 257);
        }
      }
      const Rgb coloured = Expected([bits](int row, int column, int channel) {
        return Colour(Level(row, column, bits), channel);
      });
      ExpectPixels("palette, " + name, of(3).Set(320, wide).With(data), coloured);
      if (bits == 8) {  // as some programs write it
        ExpectPixels("narrow palette, " + name, of(3).Set(320, narrow).With(data), coloured);
      }
    }
    std::string data;
    const Tiff grey = Tiff::Of(16, 1, 1, 2 * kWide * kHigh, is_big_endian);
    for (int i = 0; i < kWide * kHigh; ++i) {
      data += grey.Number(257 * Level(i / kWide, i % kWide, 8), 2);
    }
    ExpectPixels("16 bits", grey.With(data), Expected([](int row, int column, int) {
                   return static_cast<uint8_t>(Level(row, column, 8));
                 }));
  }
}

TEST(StoredPicturesTest, TiffOfColourInEveryArrangement) {
  const Rgb right = Expected(&True);
  const std::string pixels(right.begin(), right.end());
  const auto size = static_cast<uint32_t>(kWide * kHigh);
  std::string with_alpha, planes, wide;
  for (size_t i = 0; i < pixels.size(); i += 3) with_alpha += pixels.substr(i, 3) + '\x80';
  for (int channel = 0; channel < 3; ++channel) {
    for (uint32_t i = 0; i < size; ++i) planes += pixels[3 * i + channel];
  }
  for (const uint8_t value : right) wide += LittleEndianBytes(257 * value, 2);
  const Tiff plain = Tiff::Of(8, 3, 2, pixels.size());
  ExpectPixels("chunky", plain.With(pixels), right);
  ExpectPixels("without sizes of strips", Tiff(plain).Drop(279).With(pixels), right);
  ExpectPixels("16 bits", Tiff::Of(16, 3, 2, wide.size()).With(wide), right);
  ExpectPixels("planes",
               Tiff(plain)
                   .Set(284, {2})
                   .Set(273, {8, 8 + size, 8 + 2 * size}, 4)
                   .Set(279, {size, size, size}, 4)
                   .With(planes),
               right);
  std::vector<uint32_t> places, lengths;
  for (uint32_t row = 0; row < kHigh; ++row) {
    places.push_back(8 + 3 * kWide * row), lengths.push_back(3 * kWide);
  }
  ExpectPixels("a strip a row",
               Tiff(plain).Set(278, {1}).Set(273, places, 4).Set(279, lengths, 4).With(pixels),
               right);
  for (const uint32_t kind : {0u, 2u}) {  // something else, alpha beside the colour
    ExpectPixels("a fourth sample",
                 Tiff::Of(8, 4, 2, with_alpha.size()).Set(338, {kind}).With(with_alpha), right);
  }
}

// ---- PNG.

std::string Deflated(const std::string& data) {
  uint32_t low = 1, high = 0;
  for (const char letter : data) {
    low = (low + static_cast<uint8_t>(letter)) % 65521;
    high = (high + low) % 65521;
  }
  return "\x78\x01\x01" + LittleEndianBytes(data.size(), 2) +
         LittleEndianBytes(static_cast<uint16_t>(~data.size()), 2) + data +
         BigEndianBytes(high << 16 | low, 4);
}

std::string PngOf(int bits, int colour_type, const std::string& rows, const std::string& chunks) {
  std::string head("\0\0\0\x0d\0\0\0\x0b", 8);
  head += std::string{static_cast<char>(bits), static_cast<char>(colour_type), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + PngChunk("IHDR", head) + chunks + PngChunk("IDAT", Deflated(rows)) +
         PngChunk("IEND", "");
}

TEST(StoredPicturesTest, PngOfEveryDepthWithAndWithoutATransparentColour) {
  for (const int bits : {1, 2, 4, 8}) {
    std::string rows, palette;
    for (int row = 0; row < kHigh; ++row) rows += '\0' + PackedRow(row, bits, 1);
    for (int i = 0; i < 3 << bits; ++i) palette += static_cast<char>(Colour(i / 3, i % 3));
    const Rgb grey = Expected(
        [bits](int row, int column, int) { return Of8Bits(Level(row, column, bits), bits); });
    const Rgb coloured = Expected([bits](int row, int column, int channel) {
      return Colour(Level(row, column, bits), channel);
    });
    const std::string name = absl::StrCat(bits, " bits");
    const std::string first{'\0', static_cast<char>(Level(0, 0, bits))};
    const std::string colours = PngChunk("PLTE", palette);
    ExpectPixels("grey of " + name, PngOf(bits, 0, rows, ""), grey);
    ExpectPixels("one grey transparent of " + name, PngOf(bits, 0, rows, PngChunk("tRNS", first)),
                 grey);
    ExpectPixels("palette of " + name, PngOf(bits, 3, rows, colours), coloured);
    ExpectPixels("palette with alpha of " + name,
                 PngOf(bits, 3, rows, colours + PngChunk("tRNS", std::string("\0\x80", 2))),
                 coloured);
  }
}

}  // namespace
}  // namespace unival
