// unival: modalities/io/pixels.h - decoded pictures of libavcodec to rows of packed pixels, equal
// to what the common image libraries give.
#ifndef UNIVAL_MODALITIES_IO_PIXELS_H_
#define UNIVAL_MODALITIES_IO_PIXELS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "modalities/io/ffmpeg_handles.h"

namespace unival {

// Calls `put` with each row from the top, 3 bytes a pixel, which live during the call. Grey and
// palette pictures are converted, alpha is dropped, 16-bit values give their high byte; the colour
// matrix and range are those that the frame states (ITU-R 601, limited, where it states none).
// FailedPrecondition names a pixel format or colour matrix that cannot be converted.
absl::Status ForEachRgbRow(const AVFrame& frame,
                           absl::FunctionRef<void(int64_t row, const uint8_t* rgb)> put);

// Whether the picture is grey of 16 bits, and its rows as such.
bool IsGrey16(const AVFrame& frame);
void ForEachGrey16Row(const AVFrame& frame,
                      absl::FunctionRef<void(int64_t row, const uint16_t* grey)> put);

const char* PixelFormatName(const AVFrame& frame);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_PIXELS_H_
