// unival: coco.h - what the COCO layouts, and those made from COCO, share.
#ifndef UNIVAL_TRAINING_DATA_IMPORT_COCO_H_
#define UNIVAL_TRAINING_DATA_IMPORT_COCO_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

struct CocoImage {
  std::string file;  // "COCO_train2014_000000000009.jpg", or "000000000009.jpg" since 2017
  int64_t width = 0, height = 0;  // 0: the file does not say
};
using CocoImages = std::map<int64_t, CocoImage>;

// The list "images" of an annotation file, by id.
absl::StatusOr<CocoImages> ReadCocoImages(const std::string& file);

// Where the picture may lie below the source: in the folder of its split, of the data set's zips.
std::vector<std::string> CocoPaths(const std::string& split, const std::string& file);

// COCO's x, y, width, height, four numbers, as x0, y0, x1, y1.
std::array<double, 4> CornersOf(const std::vector<double>& bbox);

// The part of a box that lies in a picture of this size; none where that has no area. Publishers'
// boxes reach over the edges by a fraction of a pixel or by many, and some are lines or points.
absl::optional<std::array<double, 4>> BoxInside(const std::array<double, 4>& corners, int64_t width,
                                                int64_t height);

// Reasons for leaving out a box in pixels: without the picture's size its fractions are not known.
inline constexpr char kNoSize[] = "the picture has no width and height in the file";
inline constexpr char kNoArea[] = "the box has no area in the picture";

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_COCO_H_
