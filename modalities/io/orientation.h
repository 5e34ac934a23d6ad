// unival: modalities/io/orientation.h - how a stored picture has to be turned to be upright.
#ifndef UNIVAL_MODALITIES_IO_ORIENTATION_H_
#define UNIVAL_MODALITIES_IO_ORIENTATION_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace unival {

// The values of the TIFF and EXIF tag 274: where the stored first row and first column belong.
enum class Orientation {
  kUpright = 1,     // top, left
  kMirrored = 2,    // top, right
  kTurned = 3,      // bottom, right: by 180 degrees
  kFlipped = 4,     // bottom, left
  kTransposed = 5,  // left, top
  kRight = 6,       // right, top: to be turned clockwise
  kTransverse = 7,  // right, bottom
  kLeft = 8,        // left, bottom: to be turned anticlockwise
};

// kUpright for a value that is none of them.
Orientation OrientationOf(int64_t tag);

// Tag 274 of the first directory of EXIF data (a TIFF header and directories; a leading
// "Exif\0\0" is skipped). kUpright when there is none, or the data are damaged.
Orientation ExifOrientation(absl::string_view exif);

// Of a 3 x 3 display matrix as containers store it (16.16 fixed point, rows one after the other):
// the nearest of the eight. kUpright for null.
Orientation MatrixOrientation(const int32_t* matrix);

// Where stored pixels go: pixel (row, column) to `first` + row * `row_step` + column *
// `column_step`, counted in pixels of the upright picture.
struct Placement {
  int64_t height = 0, width = 0;  // of the upright picture
  int64_t first = 0, row_step = 0, column_step = 0;
};
Placement PlacementOf(Orientation orientation, int64_t stored_height, int64_t stored_width);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_ORIENTATION_H_
