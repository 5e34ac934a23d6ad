// unival: modalities/io/picture_writer.h - decoded rows to the tensor that the caller asked for,
// upright.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto writer, PictureWriter::Create(name, format, options, head));
//   for (int64_t row = 0; row < head.height; ++row) writer.PutRgb(row, pixels_of(row));
//   return writer.Take();
//
// Rows are written as they are decoded, so that a picture is in memory once.
#ifndef UNIVAL_MODALITIES_IO_PICTURE_WRITER_H_
#define UNIVAL_MODALITIES_IO_PICTURE_WRITER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"
#include "modalities/io/orientation.h"

namespace unival {

struct PictureHead {
  int64_t height = 0, width = 0;  // as stored
  Orientation orientation = Orientation::kUpright;
  bool is_grey16 = false;  // one sample of 16 bits a pixel
};

class PictureWriter {
 public:
  // Allocates the picture. Media errors: more than max_pixels; kGray16 asked of other pictures,
  // which are described by `kind`, "8-bit RGB".
  static absl::StatusOr<PictureWriter> Create(const std::string& name, PixelFormat format,
                                              const DecoderOptions& options,
                                              const PictureHead& head, const std::string& kind);

  PixelFormat format() const { return format_; }

  // Pixels `first`, `first` + `step`, … of a stored row, `count` of them. Colours become grey by
  // ITU-R 601 luma where grey is asked for. Not with kGray16.
  void PutRgb(int64_t row, const uint8_t* rgb) { PutRgb(row, rgb, 0, 1, head_.width); }
  void PutRgb(int64_t row, const uint8_t* rgb, int64_t first, int64_t step, int64_t count);
  void PutGrey(int64_t row, const uint8_t* grey) { PutGrey(row, grey, 0, 1, head_.width); }
  void PutGrey(int64_t row, const uint8_t* grey, int64_t first, int64_t step, int64_t count);
  // 16-bit values; the high byte where 8 bits are asked for.
  void PutGrey16(int64_t row, const uint16_t* grey) { PutGrey16(row, grey, 0, 1, head_.width); }
  void PutGrey16(int64_t row, const uint16_t* grey, int64_t first, int64_t step, int64_t count);

  // [H, W, 3] or [H, W, 1] uint8, [H, W, 1] int32 for kGray16.
  at::Tensor Take() { return std::move(pixels_); }

 private:
  PictureWriter(PixelFormat format, const PictureHead& head);

  PixelFormat format_;
  PictureHead head_;
  Placement place_;
  at::Tensor pixels_;
  uint8_t* bytes_ = nullptr;
  int32_t* words_ = nullptr;
};

// Copies a stored row of `width` RGB pixels to where `place` says in `out`, which holds the upright
// picture.
void PlaceRgbRow(const Placement& place, int64_t row, const uint8_t* rgb, int64_t width,
                 uint8_t* out);

// ITU-R 601 luma in 16-bit fixed point, as the common image libraries round it.
inline uint8_t Luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
}

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_PICTURE_WRITER_H_
