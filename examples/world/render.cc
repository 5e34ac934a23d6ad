// Turns placed shapes into pixels: colours, depth values, and depth maps coloured for people.
#include <algorithm>
#include <array>
#include <cmath>

#include "examples/world/scene.h"

namespace unival::world {
namespace {

// In the order of Colors().words.
constexpr std::array<Rgb, 8> kPalette = {{{225, 35, 35},
                                          {40, 185, 60},
                                          {45, 85, 235},
                                          {240, 225, 40},
                                          {160, 50, 205},
                                          {250, 135, 15},
                                          {242, 242, 242},
                                          {128, 128, 128}}};

// What a colour word covers: degrees of hue, saturation and value in [0, 1]. Wide, so that shapes
// are learned apart from shades; the gaps between neighbours keep every picture nameable.
struct Shades {
  std::pair<double, double> hue, saturation, value;
};

// In the order of Colors().words.
constexpr std::array<Shades, 8> kShades = {{{{-8, 8}, {0.75, 1}, {0.75, 1}},      // red
                                            {{90, 150}, {0.75, 1}, {0.65, 1}},    // green
                                            {{206, 242}, {0.75, 1}, {0.75, 1}},   // blue
                                            {{51, 62}, {0.75, 1}, {0.85, 1}},     // yellow
                                            {{268, 300}, {0.65, 1}, {0.7, 1}},    // purple
                                            {{26, 38}, {0.8, 1}, {0.85, 1}},      // orange
                                            {{0, 360}, {0, 0.04}, {0.88, 1}},     // white
                                            {{0, 360}, {0, 0.04}, {0.4, 0.6}}}};  // gray

// In the order of Distances().words, millimetres: middle of the range and largest deviation.
constexpr std::array<std::pair<double, double>, 3> kDistances = {
    {{1000, 250}, {2500, 350}, {4500, 500}}};

uint8_t ToByte(double value) {
  return static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

}  // namespace

Rgb JitteredColor(int color, Random* random) {
  constexpr double kJitter = 12;
  Rgb rgb = kPalette[color];
  // One brightness for the three channels, so that white and gray stay colourless.
  const double light = random->Uniform(-kJitter, kJitter);
  for (double* channel : {&rgb.red, &rgb.green, &rgb.blue}) {
    *channel += light + random->Uniform(-4, 4);
  }
  return rgb;
}

Rgb ShadeOf(int color, Random* random) {
  const auto draw = [random](const std::pair<double, double>& range) {
    return random->Uniform(range.first, range.second);
  };
  const Shades& shades = kShades[color];
  const double hue = draw(shades.hue);
  const double saturation = draw(shades.saturation);
  const double value = draw(shades.value);
  // HSV to RGB: a channel is full within 60 degrees of its own hue and gone beyond 120.
  const auto channel = [&](double centre) {
    const double away = std::abs(std::remainder(hue - centre, 360.0));
    const double pure = std::clamp(2 - away / 60, 0.0, 1.0);
    return 255 * value * (1 - saturation * (1 - pure));
  };
  return {channel(0), channel(120), channel(240)};
}

RgbImage DarkBackground(double darkest, Random* random) {
  RgbImage image{kSceneSize, kSceneSize, std::vector<uint8_t>(kSceneSize * kSceneSize * 3)};
  const double level = random->Uniform(darkest, 32);
  for (int i = 0; i < kSceneSize * kSceneSize; ++i) {
    const uint8_t value = ToByte(level + random->Below(7) - 3);
    std::fill_n(image.pixels.begin() + i * 3, 3, value);
  }
  return image;
}

void Paint(const std::vector<float>& coverage, const Rgb& color, RgbImage* image) {
  const double channels[3] = {color.red, color.green, color.blue};
  for (size_t i = 0; i < coverage.size(); ++i) {
    if (coverage[i] == 0) continue;
    for (int c = 0; c < 3; ++c) {
      uint8_t& pixel = image->pixels[i * 3 + c];
      // What is left of the background keeps its noise; full coverage is a flat colour.
      pixel = ToByte(pixel + (channels[c] - pixel) * coverage[i]);
    }
  }
}

RgbImage RenderRgb(const Scene& scene, Random* random) {
  const Look& look = scene.description.attribute->look;
  RgbImage image = DarkBackground(look.darkest, random);
  const bool stairs = look.stairs && random->Chance(0.5);
  for (const Object& object : scene.objects) {
    const Group& group = scene.description.groups[object.group];
    std::vector<float> coverage = Coverage(group.shape, object);
    if (stairs) {
      for (float& part : coverage) part = part < 0.5f ? 0.0f : 1.0f;
    }
    const Rgb color =
        look.shades ? ShadeOf(group.attribute, random) : JitteredColor(group.attribute, random);
    Paint(coverage, color, &image);
  }
  return image;
}

DepthImage RenderDepth(const Scene& scene, Random* random) {
  DepthImage depth{kSceneSize, kSceneSize, {}};
  depth.millimetres.reserve(kSceneSize * kSceneSize);
  const double plane = random->Uniform(6600, 7400);
  const double slope_x = random->Uniform(-300, 300), slope_y = random->Uniform(-300, 300);
  for (int y = 0; y < kSceneSize; ++y) {
    for (int x = 0; x < kSceneSize; ++x) {
      const double slope = (slope_x * (x - 32) + slope_y * (y - 32)) / 32;
      depth.millimetres.push_back(
          static_cast<uint16_t>(std::lround(plane + slope + random->Uniform(-20, 20))));
    }
  }
  for (const Object& object : scene.objects) {
    const Group& group = scene.description.groups[object.group];
    const auto [centre, deviation] = kDistances[group.attribute];
    const double distance = centre + random->Uniform(-deviation, deviation);
    const std::vector<float> coverage = Coverage(group.shape, object);
    for (size_t i = 0; i < coverage.size(); ++i) {
      // A depth sensor sees one surface per pixel: no mixed values at edges.
      if (coverage[i] < 0.5f) continue;
      depth.millimetres[i] =
          static_cast<uint16_t>(std::lround(distance + random->Uniform(-0.005, 0.005) * distance));
    }
  }
  return depth;
}

RgbImage ColorizeDepth(const DepthImage& depth) {
  constexpr double kFarthest = 8000;
  RgbImage image{depth.width, depth.height, {}};
  image.pixels.reserve(depth.millimetres.size() * 3);
  for (uint16_t value : depth.millimetres) {
    const double t = std::clamp(value / kFarthest, 0.0, 1.0);  // 0 near, 1 far
    image.pixels.push_back(ToByte(255 * std::clamp(1.6 - 2.4 * t, 0.0, 1.0)));
    image.pixels.push_back(ToByte(255 * std::clamp(1.1 - std::abs(t - 0.35) * 2.6, 0.0, 1.0)));
    image.pixels.push_back(ToByte(255 * std::clamp(1.6 * t - 0.1, 0.15, 0.9)));
  }
  return image;
}

}  // namespace unival::world
