// The pictures of test_media.h.
#include <cstdio>
// libjpeg's header needs what stands above.
#include <jpeglib.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"

namespace unival {
namespace {

uint32_t Crc32(absl::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

bool HasInks(const JpegSetting& setting) {
  return setting.kind == JpegKind::kCmyk || setting.kind == JpegKind::kYcck;
}

void SetColours(jpeg_compress_struct& jpeg, const JpegSetting& setting) {
  const bool inks = HasInks(setting), grey = setting.kind == JpegKind::kGrey;
  jpeg.input_components = inks ? 4 : grey ? 1 : 3;
  jpeg.in_color_space = inks ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  if (setting.kind == JpegKind::kYcck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
  jpeg_set_quality(&jpeg, 95, TRUE);
  if (!setting.subsampled || setting.kind == JpegKind::kCmyk) {
    for (int i = 0; i < jpeg.num_components; ++i) {
      jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
    }
  } else if (setting.kind == JpegKind::kYcck) {
    for (const int i : {0, 3})
      jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 2;
  }
}

void WriteRows(jpeg_compress_struct& jpeg, const std::vector<uint8_t>& rgb, bool inks) {
  const int width = static_cast<int>(jpeg.image_width);
  std::vector<uint8_t> row(width * 4);
  for (int y = 0; y < static_cast<int>(jpeg.image_height); ++y) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* in = &rgb[(y * width + x) * 3];
      uint8_t* out = &row[x * jpeg.input_components];
      std::memcpy(out, in, std::min(3, jpeg.input_components));
      if (inks) out[3] = 255;  // as Adobe stores it: no black
    }
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
}

}  // namespace

std::vector<uint8_t> TestPicture(int height, int width) {
  std::vector<uint8_t> rgb;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      rgb.push_back(static_cast<uint8_t>(250 - row * 200 / height));
      rgb.push_back(static_cast<uint8_t>(20 + column * 220 / width));
      rgb.push_back(static_cast<uint8_t>((row / 3 + column / 4) % 2 == 0 ? 60 : 150));
    }
  }
  return rgb;
}

std::string ExifWith(int orientation) {
  return std::string("Exif\0\0MM\0*", 10) + BigEndianBytes(8, 4) + BigEndianBytes(1, 2) +
         BigEndianBytes(274, 2) + BigEndianBytes(3, 2) + BigEndianBytes(1, 4) +
         BigEndianBytes(orientation, 2) + BigEndianBytes(0, 2) + BigEndianBytes(0, 4);
}

std::string PngChunk(const std::string& type, const std::string& data) {
  return BigEndianBytes(data.size(), 4) + type + data + BigEndianBytes(Crc32(type + data), 4);
}

std::string WithPngChunk(const std::string& png, const std::string& chunk) {
  constexpr size_t kHead = 8 + 25;  // signature, IHDR
  return png.substr(0, kHead) + chunk + png.substr(kHead);
}

std::string MakeJpeg(const std::vector<uint8_t>& rgb, int height, int width,
                     const JpegSetting& setting) {
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  uint8_t* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  SetColours(jpeg, setting);
  if (setting.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  if (!setting.exif.empty()) {
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const uint8_t*>(setting.exif.data()),
                      setting.exif.size());
  }
  WriteRows(jpeg, rgb, HasInks(setting));
  jpeg_finish_compress(&jpeg);
  std::string text(reinterpret_cast<char*>(bytes), size);
  jpeg_destroy_compress(&jpeg);
  free(bytes);
  return text;
}

std::string MakeWebp(const std::vector<uint8_t>& rgb, int height, int width, float quality,
                     const std::string& exif) {
  uint8_t* bytes = nullptr;
  const size_t size = quality < 0
                          ? WebPEncodeLosslessRGB(rgb.data(), width, height, width * 3, &bytes)
                          : WebPEncodeRGB(rgb.data(), width, height, width * 3, quality, &bytes);
  std::string text(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  if (exif.empty()) return text;
  WebPMux* mux = WebPMuxNew();
  const WebPData picture = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  const WebPData data = {reinterpret_cast<const uint8_t*>(exif.data()), exif.size()};
  WebPMuxSetImage(mux, &picture, 1);
  WebPMuxSetChunk(mux, "EXIF", &data, 1);
  WebPData whole = {};
  WebPMuxAssemble(mux, &whole);
  text.assign(reinterpret_cast<const char*>(whole.bytes), whole.size);
  WebPDataClear(&whole);
  WebPMuxDelete(mux);
  return text;
}

std::string MakeAnimatedWebp(const std::vector<uint8_t>& rgb, int height, int width) {
  WebPAnimEncoder* encoder = WebPAnimEncoderNew(width, height, nullptr);
  WebPConfig config;
  WebPConfigInit(&config);
  config.lossless = 1;
  for (int frame = 0; frame < 2; ++frame) {
    std::vector<uint8_t> pixels = rgb;
    if (frame == 1) std::reverse(pixels.begin(), pixels.end());
    WebPPicture picture;
    WebPPictureInit(&picture);
    picture.use_argb = 1;
    picture.width = width;
    picture.height = height;
    WebPPictureImportRGB(&picture, pixels.data(), width * 3);
    WebPAnimEncoderAdd(encoder, &picture, frame * 100, &config);
    WebPPictureFree(&picture);
  }
  WebPAnimEncoderAdd(encoder, nullptr, 200, nullptr);
  WebPData whole = {};
  WebPAnimEncoderAssemble(encoder, &whole);
  std::string text(reinterpret_cast<const char*>(whole.bytes), whole.size);
  WebPDataClear(&whole);
  WebPAnimEncoderDelete(encoder);
  return text;
}

}  // namespace unival
