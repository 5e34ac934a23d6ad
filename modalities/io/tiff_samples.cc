#include "modalities/io/tiff_samples.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/limits.h"
#include "modalities/io/one_packet.h"
#include "modalities/io/picture_writer.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct Page {
  uint32_t width = 0, height = 0;
  uint16_t bits = 1, samples = 1, photometric = PHOTOMETRIC_MINISBLACK, sample_format = 1;
  uint16_t planar = PLANARCONFIG_CONTIG, compression = COMPRESSION_NONE, orientation = 1;
  bool is_tiled = false;
  uint32_t block_width = 0, block_height = 0;  // of a tile or a strip
};

Page ReadPage(TIFF* tiff) {
  Page page;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page.height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &page.sample_format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &page.planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &page.compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &page.orientation);
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page.photometric) == 0 && page.samples >= 3) {
    page.photometric = PHOTOMETRIC_RGB;
  }
  page.is_tiled = TIFFIsTiled(tiff) != 0;
  page.block_width = page.width;
  if (page.is_tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &page.block_width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &page.block_height);
  } else {
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &page.block_height);
    page.block_height = std::min(page.block_height, page.height);
  }
  return page;
}

std::string Describe(const Page& page) {
  return absl::StrCat("a TIFF of ", page.samples, " samples of ", page.bits, " bits, photometric ",
                      page.photometric, ", sample format ", page.sample_format);
}

bool IsGrey(const Page& page) {
  return page.photometric == PHOTOMETRIC_MINISBLACK || page.photometric == PHOTOMETRIC_MINISWHITE;
}

// Kinds that are read sample by sample.
bool IsPlain(const Page& page) {
  const bool small = page.bits == 1 || page.bits == 2 || page.bits == 4 || page.bits == 8;
  if (IsGrey(page)) return small || page.bits == 16;
  if (page.photometric == PHOTOMETRIC_PALETTE) return small;
  return page.photometric == PHOTOMETRIC_RGB && page.samples >= 3 &&
         (page.bits == 8 || page.bits == 16);
}

int Sample(const uint8_t* data, int64_t index, int bits) {
  if (bits == 8) return data[index];
  if (bits == 16) return reinterpret_cast<const uint16_t*>(data)[index];
  const int64_t bit = index * bits;
  return data[bit / 8] >> (8 - bits - bit % 8) & ((1 << bits) - 1);
}

// Rows of samples to pixels.
class RowConverter {
 public:
  RowConverter(TIFF* tiff, const Page& page, PictureWriter& writer)
      : page_(page), writer_(writer), words_(page.block_width), bytes_(3 * page.block_width) {
    if (page.photometric == PHOTOMETRIC_PALETTE) ReadPalette(tiff);
  }

  bool has_palette() const { return red_ != nullptr; }

  // `planes` are one row of samples, or one of each of the first three planes.
  void Put(int64_t row, int64_t column, int64_t count, const uint8_t* const* planes) {
    const bool together = page_.planar == PLANARCONFIG_CONTIG;
    const int step = together ? page_.samples : 1;
    if (IsGrey(page_)) return PutGrey(row, column, count, planes[0], step);
    for (int64_t i = 0; i < count; ++i) {
      uint8_t* rgb = &bytes_[3 * i];
      if (has_palette()) {
        const int value = Sample(planes[0], i * step, page_.bits);
        rgb[0] = static_cast<uint8_t>(red_[value] >> shift_);
        rgb[1] = static_cast<uint8_t>(green_[value] >> shift_);
        rgb[2] = static_cast<uint8_t>(blue_[value] >> shift_);
        continue;
      }
      for (int k = 0; k < 3; ++k) {
        const int value = together ? Sample(planes[0], i * step + k, page_.bits)
                                   : Sample(planes[k], i, page_.bits);
        rgb[k] = static_cast<uint8_t>(page_.bits == 16 ? value >> 8 : value);
      }
    }
    writer_.PutRgb(row, bytes_.data(), column, 1, count);
  }

 private:
  // Some programs write colours of 8 bits where 16 belong.
  void ReadPalette(TIFF* tiff) {
    if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &red_, &green_, &blue_) == 0) {
      red_ = nullptr;
      return;
    }
    shift_ = 0;
    for (int i = 0; i < 1 << page_.bits; ++i) {
      if (red_[i] > 255 || green_[i] > 255 || blue_[i] > 255) shift_ = 8;
    }
  }

  void PutGrey(int64_t row, int64_t column, int64_t count, const uint8_t* data, int step) {
    const int most = (1 << page_.bits) - 1;
    const bool inverted = page_.photometric == PHOTOMETRIC_MINISWHITE;
    for (int64_t i = 0; i < count; ++i) {
      const int stored = Sample(data, i * step, page_.bits);
      const int value = inverted ? most - stored : stored;
      words_[i] = static_cast<uint16_t>(value);
      bytes_[i] = static_cast<uint8_t>(page_.bits > 8 ? value >> 8 : value * 255 / most);
    }
    if (page_.bits == 16) {
      writer_.PutGrey16(row, words_.data(), column, 1, count);
    } else {
      writer_.PutGrey(row, bytes_.data(), column, 1, count);
    }
  }

  const Page page_;
  PictureWriter& writer_;
  std::vector<uint16_t> words_;
  std::vector<uint8_t> bytes_;
  uint16_t *red_ = nullptr, *green_ = nullptr, *blue_ = nullptr;
  int shift_ = 8;
};

absl::Status Damaged() { return absl::DataLossError("pixels are missing"); }

absl::Status ReadRows(TIFF* tiff, const Page& page, RowConverter& converter) {
  std::vector<uint8_t> row(TIFFScanlineSize(tiff));
  const uint8_t* planes[] = {row.data()};
  for (uint32_t i = 0; i < page.height; ++i) {
    if (TIFFReadScanline(tiff, row.data(), i, 0) != 1) return Damaged();
    converter.Put(i, 0, page.width, planes);
  }
  return absl::OkStatus();
}

// Tiles, and strips of separate planes.
absl::Status ReadBlocks(TIFF* tiff, const Page& page, RowConverter& converter) {
  const int planes =
      page.planar == PLANARCONFIG_CONTIG || IsGrey(page) || page.photometric == PHOTOMETRIC_PALETTE
          ? 1
          : 3;
  const tmsize_t row_bytes = page.is_tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
  const tmsize_t block_bytes = row_bytes * page.block_height;
  std::vector<std::vector<uint8_t>> blocks(planes, std::vector<uint8_t>(block_bytes));
  for (uint32_t top = 0; top < page.height; top += page.block_height) {
    const uint32_t rows = std::min(page.block_height, page.height - top);
    for (uint32_t left = 0; left < page.width; left += page.block_width) {
      for (int k = 0; k < planes; ++k) {
        const auto plane = static_cast<uint16_t>(k);
        const tmsize_t wanted = row_bytes * (page.is_tiled ? page.block_height : rows);
        const tmsize_t got =
            page.is_tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, left, top, 0, plane),
                                                blocks[k].data(), wanted)
                          : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, top, plane),
                                                 blocks[k].data(), wanted);
        if (got != wanted) return Damaged();
      }
      const int64_t count = std::min(page.block_width, page.width - left);
      for (uint32_t row = 0; row < rows; ++row) {
        const uint8_t* parts[3] = {};
        for (int k = 0; k < planes; ++k) parts[k] = blocks[k].data() + row * row_bytes;
        converter.Put(top + row, left, count, parts);
      }
    }
  }
  return absl::OkStatus();
}

// Kinds that libtiff converts, a strip or tile at a time; its rows come from the bottom up.
absl::Status ReadConverted(TIFF* tiff, const Page& page, PictureWriter& writer) {
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);  // the writer turns
  std::vector<uint32_t> raster(int64_t{page.block_width} * page.block_height);
  std::vector<uint8_t> rgb(3 * size_t{page.block_width});
  for (uint32_t top = 0; top < page.height; top += page.block_height) {
    const uint32_t rows = std::min(page.block_height, page.height - top);
    for (uint32_t left = 0; left < page.width; left += page.block_width) {
      const int read = page.is_tiled ? TIFFReadRGBATileExt(tiff, left, top, raster.data(), 1)
                                     : TIFFReadRGBAStripExt(tiff, top, raster.data(), 1);
      if (read != 1) return Damaged();
      const int64_t count = std::min(page.block_width, page.width - left);
      for (uint32_t row = 0; row < rows; ++row) {
        const uint32_t last = (page.is_tiled ? page.block_height : rows) - 1;
        const uint32_t* in = raster.data() + int64_t{last - row} * page.block_width;
        for (int64_t i = 0; i < count; ++i) {
          rgb[3 * i] = TIFFGetR(in[i]);
          rgb[3 * i + 1] = TIFFGetG(in[i]);
          rgb[3 * i + 2] = TIFFGetB(in[i]);
        }
        writer.PutRgb(top + row, rgb.data(), left, 1, count);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Check(TIFF* tiff, const Page& page, bool plain, const EncodedMedia& file) {
  const std::string& name = file.reader.name();
  UNIVAL_RETURN_IF_ERROR(CheckPixels(name, file.options, page.width, page.height));
  char why[1024] = "samples below zero or with fractions";
  const bool whole =
      page.sample_format == SAMPLEFORMAT_UINT || page.sample_format == SAMPLEFORMAT_VOID;
  if (!whole || page.samples == 0 || (!plain && TIFFRGBAImageOK(tiff, why) == 0)) {
    return UnexpectedMedia(name, kExpectedImage, absl::StrCat(Describe(page), " (", why, ")"),
                           "Convert it to PNG.");
  }
  if (page.block_width == 0 || page.block_height == 0) return Damaged();
  constexpr int64_t kRawRows = 2;  // what the file holds of a block, and the block
  const int64_t block = int64_t{page.block_width} * page.block_height *
                        (plain ? std::max(1, page.samples * page.bits / 8) : 4);
  const bool by_row = plain && !page.is_tiled && page.planar == PLANARCONFIG_CONTIG;
  const int64_t held = by_row ? std::min(block, file.reader.size()) : kRawRows * block;
  return CheckMemory(name, file.options, 3 * int64_t{page.width} * page.height + held,
                     absl::StrCat("a TIFF of ", page.width, " x ", page.height,
                                  page.is_tiled ? " in tiles of " : " in strips of ",
                                  page.block_width, " x ", page.block_height));
}

}  // namespace

absl::StatusOr<at::Tensor> ReadTiffPage(TIFF* tiff, const EncodedMedia& file, PixelFormat format) {
  Page page = ReadPage(tiff);
  if (page.compression == COMPRESSION_JPEG && page.photometric == PHOTOMETRIC_YCBCR &&
      page.planar == PLANARCONFIG_CONTIG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    page.photometric = PHOTOMETRIC_RGB;
  }
  const bool plain = IsPlain(page);
  UNIVAL_RETURN_IF_ERROR(Check(tiff, page, plain, file));
  const PictureHead head = {page.height, page.width, OrientationOf(page.orientation),
                            plain && IsGrey(page) && page.bits == 16};
  UNIVAL_ASSIGN_OR_RETURN(
      PictureWriter writer,
      PictureWriter::Create(file.reader.name(), format, file.options, head, Describe(page)));
  if (!plain) {
    UNIVAL_RETURN_IF_ERROR(ReadConverted(tiff, page, writer));
    return writer.Take();
  }
  RowConverter converter(tiff, page, writer);
  if (page.photometric == PHOTOMETRIC_PALETTE && !converter.has_palette()) return Damaged();
  const bool by_row = !page.is_tiled && page.planar == PLANARCONFIG_CONTIG;
  UNIVAL_RETURN_IF_ERROR(by_row ? ReadRows(tiff, page, converter)
                                : ReadBlocks(tiff, page, converter));
  return writer.Take();
}

}  // namespace unival
