// unival: drawn_boxes.h - boxes with words drawn onto a picture.
//
//   UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
//                           decoder.DecodeImage(media, PixelFormat::kRgb8));
//   const report::DrawnBox box{{0.1, 0.2, 0.5, 0.6}, "a red circle", 0};
//   UNIVAL_ASSIGN_OR_RETURN(const std::string png, report::DrawBoxes(pixels, {box}));
#ifndef UNIVAL_TRAINING_REPORT_DRAWN_BOXES_H_
#define UNIVAL_TRAINING_REPORT_DRAWN_BOXES_H_

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival {
namespace report {

struct DrawnBox {
  std::array<double, 4> box;  // x0, y0, x1, y1 as fractions of width and height; cut to the picture
  std::string label;          // on a bar of the box's colour; what does not fit is cut
  size_t color = 0;           // a number in kBoxColors, over and over
};

// RGB: red, blue, orange, violet, green, teal.
constexpr std::array<std::array<uint8_t, 3>, 6> kBoxColors = {{{{0xd6, 0x2f, 0x27}},
                                                               {{0x24, 0x58, 0xc5}},
                                                               {{0xe0, 0x7b, 0x00}},
                                                               {{0x8e, 0x3a, 0xb0}},
                                                               {{0x17, 0x76, 0x4a}},
                                                               {{0x00, 0x80, 0x8a}}}};

// `pixels` [H, W, 3] uint8, which stays as it is. A PNG of the same size; later boxes lie over
// earlier ones. Lines and letters grow with the picture. Letters are ASCII; others become "?".
// InvalidArgument for pixels of another kind.
absl::StatusOr<std::string> DrawBoxes(const at::Tensor& pixels, const std::vector<DrawnBox>& boxes);

}  // namespace report
}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_DRAWN_BOXES_H_
