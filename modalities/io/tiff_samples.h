// unival: modalities/io/tiff_samples.h - the pixels of one page of a TIFF file.
#ifndef UNIVAL_MODALITIES_IO_TIFF_SAMPLES_H_
#define UNIVAL_MODALITIES_IO_TIFF_SAMPLES_H_

#include <ATen/core/Tensor.h>
#include <tiffio.h>

#include "absl/status/statusor.h"
#include "modalities/io/formats.h"

namespace unival {

// The current page. Grey and palette of 1 to 16 bits and colours of 8 and 16 are read sample by
// sample (16-bit values give their high byte, a fourth sample is dropped); CMYK, YCbCr and Lab are
// converted by libtiff. Media errors: limits, and kinds that are not read (floating point), by
// name. Other errors: the page is damaged; libtiff's error handler has been told how.
absl::StatusOr<at::Tensor> ReadTiffPage(TIFF* tiff, const EncodedMedia& file, PixelFormat format);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_TIFF_SAMPLES_H_
