#include "modalities/io/picture_writer.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "modalities/io/byte_reader.h"
#include "modalities/io/limits.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

void CopyRgb(const uint8_t* in, uint8_t* out) {
  out[0] = in[0];
  out[1] = in[1];
  out[2] = in[2];
}

}  // namespace

absl::StatusOr<PictureWriter> PictureWriter::Create(const std::string& name, PixelFormat format,
                                                    const DecoderOptions& options,
                                                    const PictureHead& head,
                                                    const std::string& kind) {
  UNIVAL_RETURN_IF_ERROR(CheckPixels(name, options, head.width, head.height));
  if (format == PixelFormat::kGray16 && !head.is_grey16) {
    return UnexpectedMedia(name, "a 16-bit grey image", kind,
                           "Store it as 16-bit grey PNG, PGM or TIFF.");
  }
  PictureHead placed = head;
  if (!options.upright) placed.orientation = Orientation::kUpright;
  return PictureWriter(format, placed);
}

PictureWriter::PictureWriter(PixelFormat format, const PictureHead& head)
    : format_(format), head_(head), place_(PlacementOf(head.orientation, head.height, head.width)) {
  const int64_t channels = format == PixelFormat::kRgb8 ? 3 : 1;
  const bool words = format == PixelFormat::kGray16;
  pixels_ = at::empty({place_.height, place_.width, channels}, words ? at::kInt : at::kByte);
  if (words) {
    words_ = pixels_.data_ptr<int32_t>();
  } else {
    bytes_ = pixels_.data_ptr<uint8_t>();
  }
}

void PlaceRgbRow(const Placement& place, int64_t row, const uint8_t* rgb, int64_t width,
                 uint8_t* out) {
  int64_t at = place.first + row * place.row_step;
  if (place.column_step == 1) {
    std::memcpy(out + 3 * at, rgb, 3 * width);
    return;
  }
  for (int64_t i = 0; i < width; ++i, rgb += 3, at += place.column_step) {
    CopyRgb(rgb, out + 3 * at);
  }
}

void PictureWriter::PutRgb(int64_t row, const uint8_t* rgb, int64_t first, int64_t step,
                           int64_t count) {
  if (bytes_ == nullptr) return;
  int64_t at = place_.first + row * place_.row_step + first * place_.column_step;
  const int64_t stride = step * place_.column_step;
  if (format_ == PixelFormat::kGray8) {
    for (int64_t i = 0; i < count; ++i, rgb += 3, at += stride) bytes_[at] = Luma(rgb);
  } else if (stride == 1) {
    std::memcpy(bytes_ + 3 * at, rgb, 3 * count);
  } else {
    for (int64_t i = 0; i < count; ++i, rgb += 3, at += stride) CopyRgb(rgb, bytes_ + 3 * at);
  }
}

void PictureWriter::PutGrey(int64_t row, const uint8_t* grey, int64_t first, int64_t step,
                            int64_t count) {
  if (bytes_ == nullptr) return;
  int64_t at = place_.first + row * place_.row_step + first * place_.column_step;
  const int64_t stride = step * place_.column_step;
  const int channels = format_ == PixelFormat::kRgb8 ? 3 : 1;
  for (int64_t i = 0; i < count; ++i, at += stride) {
    std::memset(bytes_ + channels * at, grey[i], channels);
  }
}

void PictureWriter::PutGrey16(int64_t row, const uint16_t* grey, int64_t first, int64_t step,
                              int64_t count) {
  int64_t at = place_.first + row * place_.row_step + first * place_.column_step;
  const int64_t stride = step * place_.column_step;
  const int channels = format_ == PixelFormat::kRgb8 ? 3 : 1;
  for (int64_t i = 0; i < count; ++i, at += stride) {
    if (words_ != nullptr) {
      words_[at] = grey[i];
    } else {
      std::memset(bytes_ + channels * at, grey[i] >> 8, channels);
    }
  }
}

}  // namespace unival
