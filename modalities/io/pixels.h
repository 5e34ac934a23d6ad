// unival: modalities/io/pixels.h - decoded pictures to packed pixels, equal to what the common
// image libraries give.
#ifndef UNIVAL_MODALITIES_IO_PIXELS_H_
#define UNIVAL_MODALITIES_IO_PIXELS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "modalities/io/ffmpeg_handles.h"

namespace unival {

// All write height * width pixels without padding. Grey and palette pictures are converted, alpha
// is dropped, 16-bit values give their high byte. FailedPrecondition names a pixel format that
// cannot be converted.
absl::Status WriteRgb8(const AVFrame& frame, uint8_t* out);  // 3 bytes a pixel
absl::Status WriteGray8(const AVFrame& frame,
                        uint8_t* out);  // 1 byte a pixel, ITU-R 601 luma of colours

// False when the picture is not 16-bit grey.
bool WriteGray16(const AVFrame& frame, int32_t* out);

const char* PixelFormatName(const AVFrame& frame);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_PIXELS_H_
