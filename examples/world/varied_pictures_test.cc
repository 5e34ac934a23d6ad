// Varied pictures: how they differ from plain ones, and what must stay the same.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "examples/world/description.h"
#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace unival::world {
namespace {

using ::testing::AllOf;
using ::testing::Gt;
using ::testing::Lt;

constexpr int kSamples = 400;

Scene SceneOf(const Attribute& attribute, int index) {
  Random random(SampleSeed(5, attribute.name, Split::kTrain, index));
  return SampleScene(attribute, Split::kTrain, &random);
}

// Whether every pixel that a shape touches has the shape's colour, except for a few levels of
// noise.
bool HasStairs(const Scene& scene, const RgbImage& image) {
  const Object& object = scene.objects[0];
  const std::vector<float> coverage =
      Coverage(scene.description.groups[object.group].shape, object);
  const auto pixel = [&](size_t i) {
    return image.pixels[i * 3] + image.pixels[i * 3 + 1] + image.pixels[i * 3 + 2];
  };
  const size_t inside = std::max_element(coverage.begin(), coverage.end()) - coverage.begin();
  for (size_t i = 0; i < coverage.size(); ++i) {
    if (coverage[i] > 0.55f && std::abs(pixel(i) - pixel(inside)) > 3) return false;
  }
  return true;
}

int PicturesWithStairs(const Attribute& attribute) {
  int stairs = 0;
  for (int i = 0; i < kSamples; ++i) {
    Random random(i);
    const Scene scene = SceneOf(attribute, i);
    stairs += HasStairs(scene, RenderRgb(scene, &random));
  }
  return stairs;
}

TEST(VariedPictureTest, AboutHalfHaveStairsForEdgesAndPlainOnesHardlyAny) {
  // A square may lie on whole pixels.
  EXPECT_LT(PicturesWithStairs(Colors()), 0.02 * kSamples);
  EXPECT_THAT(PicturesWithStairs(VariedColors()), AllOf(Gt(0.4 * kSamples), Lt(0.6 * kSamples)));
}

TEST(VariedPictureTest, BackgroundsAreDarkerThanThoseOfPlainOnes) {
  const auto darkest = [](const Attribute& attribute) {
    int level = 255;
    for (int i = 0; i < kSamples; ++i) {
      Random random(i);
      // Shapes keep a pixel from the edge.
      level = std::min<int>(level, RenderRgb(SceneOf(attribute, i), &random).pixels[0]);
    }
    return level;
  };
  EXPECT_GE(darkest(Colors()), 9);  // 12 less noise
  EXPECT_LT(darkest(VariedColors()), 5);
}

TEST(VariedPictureTest, OnlyLargeShapesAreSaidToBeLarge) {
  for (int i = 0; i < kSamples; ++i) {
    const Scene scene = SceneOf(VariedColors(), i);
    for (const Object& object : scene.objects) {
      EXPECT_EQ(object.radius > 11, scene.description.groups[object.group].large);
    }
  }
}

TEST(VariedPictureTest, ShadesOfAColorWordKeepApartFromThoseOfOthers) {
  // The shade's distance from gray, and its hue in degrees around the mean of red.
  const auto shade = [](const Rgb& rgb) {
    const double high = std::max({rgb.red, rgb.green, rgb.blue});
    const double low = std::min({rgb.red, rgb.green, rgb.blue});
    const double x = rgb.red - (rgb.green + rgb.blue) / 2;
    const double y = std::sqrt(3.0) / 2 * (rgb.green - rgb.blue);
    return std::make_pair((high - low) / high, std::atan2(y, x) * 180 / 3.14159265358979);
  };
  Random random(11);
  std::vector<std::pair<double, int>> hues;
  for (int color = 0; color < static_cast<int>(Colors().words.size()); ++color) {
    const bool gray = Colors().words[color] == "white" || Colors().words[color] == "gray";
    for (int i = 0; i < kSamples; ++i) {
      const Rgb rgb = ShadeOf(color, &random);
      const auto [saturation, hue] = shade(rgb);
      EXPECT_EQ(saturation < 0.1, gray) << Colors().words[color];
      if (gray) {
        EXPECT_EQ(rgb.green > 200, Colors().words[color] == "white");
      } else {
        hues.push_back({hue < -20 ? hue + 360 : hue, color});
      }
    }
  }
  std::sort(hues.begin(), hues.end());
  hues.push_back({hues[0].first + 360, hues[0].second});  // the circle closes
  for (size_t i = 1; i < hues.size(); ++i) {
    if (hues[i].second == hues[i - 1].second) continue;
    EXPECT_GT(hues[i].first - hues[i - 1].first, 8) << Colors().words[hues[i].second];
  }
}

TEST(VariedPictureTest, GroupsAreOftenAlikeInOneProperty) {
  int pairs = 0, same_color = 0, same_shape = 0;
  for (int i = 0; i < 10 * kSamples; ++i) {
    const std::vector<Group> groups = SceneOf(VariedColors(), i).description.groups;
    if (groups.size() < 2) continue;
    ++pairs;
    same_color += groups[0].attribute == groups[1].attribute;
    same_shape += groups[0].shape == groups[1].shape;
    EXPECT_FALSE(groups[0].attribute == groups[1].attribute && groups[0].shape == groups[1].shape);
  }
  EXPECT_GT(same_color, pairs * 0.22);  // by chance 0.11
  EXPECT_GT(same_shape, pairs * 0.22);  // by chance 0.18
}

}  // namespace
}  // namespace unival::world
