// The TIFF of test_media.h.
#include <tiffio.h>

#include <algorithm>
#include <cstring>

#include "modalities/io/test_media.h"
#include "modalities/io/test_need.h"

namespace unival {
namespace {

// A file in memory that libtiff reads and writes.
struct TiffMemory {
  std::string bytes;
  size_t at = 0;

  static tmsize_t Read(thandle_t handle, void* out, tmsize_t count) {
    auto* file = static_cast<TiffMemory*>(handle);
    const size_t left = file->bytes.size() - std::min(file->at, file->bytes.size());
    const size_t some = std::min(left, static_cast<size_t>(count));
    std::memcpy(out, file->bytes.data() + file->at, some);
    file->at += some;
    return static_cast<tmsize_t>(some);
  }
  static tmsize_t Write(thandle_t handle, void* in, tmsize_t count) {
    auto* file = static_cast<TiffMemory*>(handle);
    if (file->bytes.size() < file->at + count) file->bytes.resize(file->at + count);
    std::memcpy(&file->bytes[file->at], in, count);
    file->at += count;
    return count;
  }
  static toff_t Seek(thandle_t handle, toff_t offset, int whence) {
    auto* file = static_cast<TiffMemory*>(handle);
    if (whence == SEEK_CUR) offset += file->at;
    if (whence == SEEK_END) offset += file->bytes.size();
    file->at = offset;
    return offset;
  }
  static int Close(thandle_t) { return 0; }
  static toff_t Size(thandle_t handle) { return static_cast<TiffMemory*>(handle)->bytes.size(); }
};

std::vector<uint8_t> Tile(const std::vector<uint8_t>& rgb, int height, int width, int top, int left,
                          int side, int plane) {
  const int depth = plane < 0 ? 3 : 1;
  std::vector<uint8_t> tile(side * side * depth);
  for (int row = 0; row < side && top + row < height; ++row) {
    for (int column = 0; column < side && left + column < width; ++column) {
      const uint8_t* in = &rgb[((top + row) * width + left + column) * 3];
      uint8_t* out = &tile[(row * side + column) * depth];
      if (plane < 0) std::memcpy(out, in, 3);
      if (plane >= 0) *out = in[plane];
    }
  }
  return tile;
}

void SetTags(TIFF* tiff, int height, int width, const TiffSetting& setting) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, setting.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
               setting.compression == COMPRESSION_JPEG ? PHOTOMETRIC_YCBCR : PHOTOMETRIC_RGB);
  if (setting.compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, setting.orientation);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
               setting.separate_planes ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (setting.has_odd_tags) {
    TIFFSetField(tiff, TIFFTAG_SOFTWARE, "a test");
    TIFFSetField(tiff, TIFFTAG_DATETIME, "2001:01:01 00:00:00");
    TIFFSetField(tiff, TIFFTAG_XMLPACKET, 5, "<x/>\n");
  }
  if (setting.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, setting.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, setting.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 16);  // as JPEG in it needs
  }
}

// `plane` of `rgb`, or all of it for -1, in squares.
void WriteTiles(TIFF* tiff, const std::vector<uint8_t>& rgb, int height, int width, int side,
                int plane) {
  for (int top = 0; top < height; top += side) {
    for (int left = 0; left < width; left += side) {
      std::vector<uint8_t> tile = Tile(rgb, height, width, top, left, side, plane);
      TIFFWriteTile(tiff, tile.data(), left, top, 0, static_cast<uint16_t>(std::max(plane, 0)));
    }
  }
}

// The same line by line.
void WriteLines(TIFF* tiff, const std::vector<uint8_t>& rgb, int height, int width, int plane) {
  for (int row = 0; row < height; ++row) {
    std::vector<uint8_t> line(rgb.begin() + row * width * 3, rgb.begin() + (row + 1) * width * 3);
    if (plane >= 0) {
      for (int i = 0; i < width; ++i) line[i] = line[3 * i + plane];
    }
    TIFFWriteScanline(tiff, line.data(), row, static_cast<uint16_t>(std::max(plane, 0)));
  }
}

void WriteTiffPage(TIFF* tiff, const std::vector<uint8_t>& rgb, int height, int width,
                   const TiffSetting& setting) {
  SetTags(tiff, height, width, setting);
  const std::vector<int> planes =
      setting.separate_planes ? std::vector<int>{0, 1, 2} : std::vector<int>{-1};
  for (const int plane : planes) {
    if (setting.tile > 0) {
      WriteTiles(tiff, rgb, height, width, setting.tile, plane);
    } else {
      WriteLines(tiff, rgb, height, width, plane);
    }
  }
  TIFFWriteDirectory(tiff);
}

}  // namespace

std::string MakeTiff(const std::vector<uint8_t>& rgb, int height, int width,
                     const TiffSetting& setting) {
  TiffMemory file;
  TIFF* tiff =
      TIFFClientOpen("test", "w", &file, &TiffMemory::Read, &TiffMemory::Write, &TiffMemory::Seek,
                     &TiffMemory::Close, &TiffMemory::Size, nullptr, nullptr);
  Need(tiff != nullptr, "TIFF");
  for (int page = 0; page < setting.pages; ++page) {
    std::vector<uint8_t> pixels = rgb;
    if (page > 0) std::reverse(pixels.begin(), pixels.end());
    WriteTiffPage(tiff, pixels, height, width, setting);
  }
  TIFFClose(tiff);
  return file.bytes;
}

}  // namespace unival
