// Files of pictures and grids, made from pixels and numbers.
#include "training/report/drawn_boxes.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "modalities/io/decoder.h"
#include "training/report/code_grid.h"

namespace unival {
namespace report {
namespace {

using Rgb = std::array<int, 3>;

at::Tensor Black(int64_t height, int64_t width) { return at::zeros({height, width, 3}, at::kByte); }

at::Tensor Drawn(const at::Tensor& pixels, const std::vector<DrawnBox>& boxes) {
  const auto png = DrawBoxes(pixels, boxes);
  EXPECT_TRUE(png.ok()) << png.status();
  const MediaSource media{"drawn", "", std::make_shared<const std::string>(*png)};
  return NewFfmpegDecoder()->DecodeImage(media, PixelFormat::kRgb8).value();
}

Rgb At(const at::Tensor& pixels, int64_t y, int64_t x) {
  const at::Tensor one = pixels[y][x];
  return {one[0].item<int>(), one[1].item<int>(), one[2].item<int>()};
}

Rgb ColorOf(size_t index) {
  const auto& color = kBoxColors[index];
  return {color[0], color[1], color[2]};
}

TEST(DrawBoxes, DrawsTheFourLinesAtTheirPixelsAndLeavesTheRest) {
  const at::Tensor picture = Black(100, 200);
  const at::Tensor drawn = Drawn(picture, {{{0.25, 0.5, 0.75, 0.9}, "", 1}});
  EXPECT_EQ(drawn.sizes(), picture.sizes());
  for (const auto& [y, x] : {std::pair(50, 50), std::pair(50, 149), std::pair(89, 100),
                             std::pair(70, 50), std::pair(70, 149)}) {
    EXPECT_EQ(At(drawn, y, x), ColorOf(1)) << y << ", " << x;
  }
  for (const auto& [y, x] : {std::pair(70, 100), std::pair(49, 100), std::pair(90, 100),
                             std::pair(70, 49), std::pair(70, 150)}) {
    EXPECT_EQ(At(drawn, y, x), (Rgb{0, 0, 0})) << y << ", " << x;
  }
  EXPECT_TRUE(at::equal(picture, Black(100, 200))) << "the caller's picture is as it was";
}

TEST(DrawBoxes, WritesTheLabelOnABarAboveTheBoxOrInIt) {
  const at::Tensor above = Drawn(Black(100, 200), {{{0.1, 0.5, 0.9, 0.9}, "a", 0}});
  EXPECT_EQ(At(above, 42, 20), ColorOf(0));
  EXPECT_EQ(At(above, 44, 22), (Rgb{255, 255, 255})) << "the top of an a";
  const at::Tensor inside = Drawn(Black(100, 200), {{{0.1, 0.02, 0.9, 0.9}, "a", 0}});
  EXPECT_EQ(At(inside, 2, 20), ColorOf(0));
  EXPECT_EQ(At(inside, 5, 22), (Rgb{255, 255, 255}));
}

TEST(DrawBoxes, TakesAnyBoxAndAnyLabel) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::array<double, 4>> boxes = {
      {0, 0, 1, 1}, {-5, -5, 7, 7}, {1, 1, 1, 1}, {0.9, 0.9, 0.1, 0.1}, {none, none, none, none}};
  for (const auto& box : boxes) {
    for (const char* label :
         {"", "caf\xc3\xa9 \xe2\x82\xac", "\xff\n", "a very long label indeed"}) {
      for (const int side : {1, 3, 40, 700}) Drawn(Black(side, side), {{box, label, 17}});
    }
  }
  EXPECT_FALSE(DrawBoxes(at::zeros({4, 4, 3}), {}).ok());
  EXPECT_FALSE(DrawBoxes(Black(0, 4), {}).ok());
}

TEST(CodesAsNpy, AreASquareWhereTheyCanBe) {
  const std::string square = CodesAsNpy({1, 2, 3, 258});
  EXPECT_EQ(square.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(square.find("'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }"),
            std::string::npos);
  ASSERT_EQ(square.size() % 64, 32u);  // a header of whole 64 bytes, four numbers
  EXPECT_EQ(square.substr(square.size() - 8), std::string("\x02\x01\0\0\0\0\0\0", 8));
  EXPECT_NE(CodesAsNpy({1, 2, 3}).find("'shape': (3,), }"), std::string::npos);
}

}  // namespace
}  // namespace report
}  // namespace unival
