// unival: picture.h
//
// Pictures of three boxes with drawn items, scattered or stacked to one tower a box, and everything
// about them that a statement may speak of. They look like the pictures of NLVR (Suhr et al., ACL
// 2017): 400 x 100 pixels, boxes of 100 x 100 at x = 0, 150 and 300.
//
//   world::Random random(7);
//   Picture picture = SamplePicture(/*towers=*/true, &random);
//   world::RgbImage pixels = Render(picture);
#ifndef UNIVAL_EXAMPLES_STATEMENTS_PICTURE_H_
#define UNIVAL_EXAMPLES_STATEMENTS_PICTURE_H_

#include <array>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"

namespace unival::statements {

enum class Shape { kCircle, kSquare, kTriangle };
enum class Color { kBlack, kBlue, kYellow };

inline constexpr int kBoxes = 3;
inline constexpr int kBoxSide = 100;                        // pixels
inline constexpr int kGap = 50;                             // pixels between two boxes
inline constexpr std::array<int, 3> kSizes = {10, 20, 30};  // pixels: small, medium, big

struct Item {
  Shape shape = Shape::kSquare;
  Color color = Color::kBlack;
  int size = 0;  // width and height in pixels
  int x = 0;     // left edge in its box
  int y = 0;     // upper edge in its box
};

// Of a tower: from the base up. Never empty.
using Box = std::vector<Item>;

struct Picture {
  bool towers = false;
  std::array<Box, kBoxes> boxes;
};

// One to seven items a box, or a tower of one to four blocks.
Picture SamplePicture(bool towers, world::Random* random);
// The same but for one box, or one item's color: what a statement about it has to be read for.
Picture ChangedPicture(const Picture& picture, world::Random* random);

world::RgbImage Render(const Picture& picture);

}  // namespace unival::statements

#endif  // UNIVAL_EXAMPLES_STATEMENTS_PICTURE_H_
