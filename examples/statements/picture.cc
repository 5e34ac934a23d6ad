#include "examples/statements/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace unival::statements {
namespace {

using world::Random;
using world::RgbImage;
using Rgb = std::array<int, 3>;

constexpr int kBlock = 20;      // pixels, a tower's block
constexpr int kBlockStep = 21;  // pixels from one block to the next
constexpr int kMostBlocks = 4;
constexpr int kMostItems = 7;
constexpr int kSamples = 4;       // a side of a pixel, for smooth edges
constexpr int kPlaces = 60;       // tries to place one item
constexpr double kAtAWall = 0.2;  // how often an item lies at the bottom, and at the right wall

constexpr Rgb kGround = {211, 211, 211};
constexpr Rgb kBetween = {128, 128, 128};
constexpr std::array<Rgb, 3> kPalette = {{{0, 0, 0}, {0, 153, 255}, {255, 255, 0}}};  // as Color

// What a box may hold: often everything, sometimes a few colors and shapes only, so that statements
// such as "only blue items" are true now and then.
struct Choice {
  std::vector<Color> colors = {Color::kBlack, Color::kBlue, Color::kYellow};
  std::vector<Shape> shapes = {Shape::kCircle, Shape::kSquare, Shape::kTriangle};
};

Choice SampleChoice(Random* random) {
  constexpr double kFewColors = 0.3, kFewShapes = 0.2;
  Choice choice;
  random->Shuffle(&choice.colors);
  random->Shuffle(&choice.shapes);
  if (random->Chance(kFewColors)) choice.colors.resize(random->Between(1, 2));
  if (random->Chance(kFewShapes)) choice.shapes.resize(random->Between(1, 2));
  return choice;
}

Box SampleTower(Random* random) {
  const Choice choice = SampleChoice(random);
  Box tower;
  const int height = random->Between(1, kMostBlocks);
  for (int i = 0; i < height; ++i) {
    const int y = kBoxSide - kBlock - i * kBlockStep;
    tower.push_back(
        {Shape::kSquare, random->Pick(choice.colors), kBlock, (kBoxSide - kBlock) / 2, y});
  }
  return tower;
}

bool Overlap(const Item& a, const Item& b) {
  return a.x < b.x + b.size && b.x < a.x + a.size && a.y < b.y + b.size && b.y < a.y + a.size;
}

Box SampleItems(Random* random) {
  const Choice choice = SampleChoice(random);
  Box items;
  const int count = random->Between(1, kMostItems);
  for (int i = 0; i < count; ++i) {
    Item item;
    item.shape = random->Pick(choice.shapes);
    item.color = random->Pick(choice.colors);
    item.size = kSizes[random->Below(kSizes.size())];
    const int last = kBoxSide - item.size;
    for (int place = 0; place < kPlaces; ++place) {
      item.x = random->Chance(kAtAWall) ? last : random->Between(0, last);
      item.y = random->Chance(kAtAWall) ? last : random->Between(0, last);
      const auto hits = [&](const Item& other) { return Overlap(item, other); };
      if (std::any_of(items.begin(), items.end(), hits)) continue;
      items.push_back(item);
      break;
    }
  }
  return items;
}

Box SampleBox(bool towers, Random* random) {
  return towers ? SampleTower(random) : SampleItems(random);
}

// Whether the point, in parts of the item's side, lies on it.
bool Covers(Shape shape, double x, double y) {
  switch (shape) {
    case Shape::kCircle:
      return std::hypot(x - 0.5, y - 0.5) <= 0.5;
    case Shape::kTriangle:
      return std::abs(x - 0.5) <= y / 2;
    case Shape::kSquare:
      return true;
  }
  return false;
}

// Of the item's pixel (x, y), in [0, 1].
double Coverage(const Item& item, int x, int y) {
  int covered = 0;
  for (int i = 0; i < kSamples * kSamples; ++i) {
    const double right = x + (i % kSamples + 0.5) / kSamples;
    const double down = y + (i / kSamples + 0.5) / kSamples;
    covered += Covers(item.shape, right / item.size, down / item.size) ? 1 : 0;
  }
  return static_cast<double>(covered) / (kSamples * kSamples);
}

void Mix(const Rgb& color, double share, uint8_t* pixel) {
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>(std::lround(pixel[c] + (color[c] - pixel[c]) * share));
  }
}

void Paint(const Item& item, int left, RgbImage* image) {
  for (int y = 0; y < item.size; ++y) {
    for (int x = 0; x < item.size; ++x) {
      const int place = (item.y + y) * image->width + left + item.x + x;
      Mix(kPalette[static_cast<int>(item.color)], Coverage(item, x, y), &image->pixels[place * 3]);
    }
  }
}

}  // namespace

Picture SamplePicture(bool towers, Random* random) {
  Picture picture;
  picture.towers = towers;
  for (Box& box : picture.boxes) box = SampleBox(towers, random);
  return picture;
}

Picture ChangedPicture(const Picture& picture, Random* random) {
  Picture changed = picture;
  Box& box = changed.boxes[random->Below(kBoxes)];
  if (random->Chance(0.5)) {
    box = SampleBox(picture.towers, random);
  } else {
    Item& item = box[random->Below(static_cast<int>(box.size()))];
    item.color = static_cast<Color>((static_cast<int>(item.color) + random->Between(1, 2)) % 3);
  }
  return changed;
}

RgbImage Render(const Picture& picture) {
  constexpr int kStep = kBoxSide + kGap;
  RgbImage image{kBoxes * kStep - kGap, kBoxSide, {}};
  image.pixels.resize(image.width * image.height * 3);
  for (int i = 0; i < image.width * image.height; ++i) {
    Mix(i % image.width % kStep < kBoxSide ? kGround : kBetween, 1, &image.pixels[i * 3]);
  }
  for (int box = 0; box < kBoxes; ++box) {
    for (const Item& item : picture.boxes[box]) Paint(item, box * kStep, &image);
  }
  return image;
}

}  // namespace unival::statements
