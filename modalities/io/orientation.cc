#include "modalities/io/orientation.h"

#include <cstdlib>

#include "absl/strings/match.h"
#include "sdk/base/byte_order.h"

namespace unival {
namespace {

// Integers of a TIFF structure, 0 beyond its end.
class Fields {
 public:
  explicit Fields(absl::string_view bytes)
      : bytes_(bytes), little_(absl::StartsWith(bytes, "II")) {}

  uint64_t Get(uint64_t at, int count) const {
    if (at > bytes_.size() || bytes_.size() - at < static_cast<uint64_t>(count)) return 0;
    const absl::string_view field = bytes_.substr(at);
    return little_ ? LittleEndian(field, count) : BigEndian(field, count);
  }

 private:
  absl::string_view bytes_;
  bool little_;
};

}  // namespace

Orientation OrientationOf(int64_t tag) {
  return tag >= 1 && tag <= 8 ? static_cast<Orientation>(tag) : Orientation::kUpright;
}

// The TIFF 6.0 specification, section 2: byte order, 42, where the first directory is; a directory
// is a count and entries of 12 bytes (tag, type, count, value).
Orientation ExifOrientation(absl::string_view exif) {
  constexpr int kOrientation = 274, kShort = 3, kLong = 4, kEntryBytes = 12;
  const absl::string_view prefix("Exif\0\0", 6);
  if (absl::StartsWith(exif, prefix)) exif.remove_prefix(prefix.size());
  if (!absl::StartsWith(exif, "II") && !absl::StartsWith(exif, "MM")) return Orientation::kUpright;
  const Fields fields(exif);
  if (fields.Get(2, 2) != 42) return Orientation::kUpright;
  const uint64_t directory = fields.Get(4, 4);
  const uint64_t entries = fields.Get(directory, 2);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + i * kEntryBytes;
    if (fields.Get(entry, 2) != kOrientation) continue;
    const uint64_t type = fields.Get(entry + 2, 2);
    if (type == kShort) return OrientationOf(static_cast<int64_t>(fields.Get(entry + 8, 2)));
    if (type == kLong) return OrientationOf(static_cast<int64_t>(fields.Get(entry + 8, 4)));
    return Orientation::kUpright;
  }
  return Orientation::kUpright;
}

// A point (x, y) of the stored picture is shown at (a x + c y, b x + d y), for a matrix with the
// rows (a b u), (c d v), (x y w).
Orientation MatrixOrientation(const int32_t* matrix) {
  if (matrix == nullptr) return Orientation::kUpright;
  const int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (std::llabs(a) + std::llabs(d) >= std::llabs(b) + std::llabs(c)) {
    if (a >= 0) return d >= 0 ? Orientation::kUpright : Orientation::kFlipped;
    return d >= 0 ? Orientation::kMirrored : Orientation::kTurned;
  }
  // Stored columns become rows, from the top for b > 0; stored rows become columns, from the left
  // for c > 0.
  if (b > 0) return c > 0 ? Orientation::kTransposed : Orientation::kRight;
  return c > 0 ? Orientation::kLeft : Orientation::kTransverse;
}

Placement PlacementOf(Orientation orientation, int64_t stored_height, int64_t stored_width) {
  const int64_t h = stored_height, w = stored_width;
  switch (orientation) {
    case Orientation::kMirrored:
      return {h, w, w - 1, w, -1};
    case Orientation::kTurned:
      return {h, w, h * w - 1, -w, -1};
    case Orientation::kFlipped:
      return {h, w, (h - 1) * w, -w, 1};
    case Orientation::kTransposed:
      return {w, h, 0, 1, h};
    case Orientation::kRight:
      return {w, h, h - 1, -1, h};
    case Orientation::kTransverse:
      return {w, h, h * w - 1, -1, -h};
    case Orientation::kLeft:
      return {w, h, (w - 1) * h, 1, -h};
    default:
      return {h, w, 0, w, 1};
  }
}

}  // namespace unival
