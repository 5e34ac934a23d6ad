#include "examples/world/scene.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/types/optional.h"

namespace unival::world {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kGap = 2.0;   // pixels between boxes
constexpr double kEdge = 1.0;  // pixels between boxes and the picture's edge

struct Point {
  double x, y;
};

std::vector<Point> RegularPolygon(int corners, double outer, double inner) {
  std::vector<Point> points;
  for (int i = 0; i < corners; ++i) {
    const double r = i % 2 == 0 ? outer : inner;
    const double a = 2 * kPi * i / corners - kPi / 2;
    points.push_back({r * std::cos(a), r * std::sin(a)});
  }
  return points;
}

// Outlines of radius about one; a circle has no corners.
std::vector<Point> Outline(Shape shape) {
  constexpr double kArm = 0.34;  // half the width of a cross's arm
  switch (shape) {
    case Shape::kCircle:
      return {};
    case Shape::kSquare:
      return {{-0.88, -0.88}, {0.88, -0.88}, {0.88, 0.88}, {-0.88, 0.88}};
    case Shape::kTriangle:
      return {{0, -1.1}, {1.1, 0.8}, {-1.1, 0.8}};
    case Shape::kStar:
      return RegularPolygon(10, 1.2, 0.5);
    case Shape::kCross:
      return {{-kArm, -1.05}, {kArm, -1.05}, {kArm, -kArm},  {1.05, -kArm},
              {1.05, kArm},   {kArm, kArm},  {kArm, 1.05},   {-kArm, 1.05},
              {-kArm, kArm},  {-1.05, kArm}, {-1.05, -kArm}, {-kArm, -kArm}};
  }
  return {};
}

std::vector<Point> PlacedOutline(Shape shape, const Object& object) {
  std::vector<Point> points = Outline(shape);
  const double c = std::cos(object.angle) * object.radius;
  const double s = std::sin(object.angle) * object.radius;
  for (Point& p : points) {
    p = {object.x + c * p.x - s * p.y, object.y + s * p.x + c * p.y};
  }
  return points;
}

double SegmentDistance(const Point& p, const Point& a, const Point& b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy);
  const double t = std::clamp(along, 0.0, 1.0);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

// Pixels from `p` to the outline, positive inside (even-odd rule).
double DistanceInside(const std::vector<Point>& outline, const Point& p) {
  double nearest = 1e9;
  bool inside = false;
  for (size_t i = 0, j = outline.size() - 1; i < outline.size(); j = i++) {
    const Point& a = outline[i];
    const Point& b = outline[j];
    nearest = std::min(nearest, SegmentDistance(p, a, b));
    const bool crosses = (a.y > p.y) != (b.y > p.y);
    if (crosses && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x)) inside = !inside;
  }
  return inside ? nearest : -nearest;
}

// Tries to place every object of the description without overlap.
absl::optional<std::vector<Object>> Place(const Description& description, Random* random) {
  constexpr int kTries = 40;
  std::vector<Object> objects;
  std::vector<Box> boxes;
  for (size_t g = 0; g < description.groups.size(); ++g) {
    const Group& group = description.groups[g];
    for (int member = 0, tries = 0; member < group.count; ++tries) {
      if (tries == kTries) return absl::nullopt;
      Object object = SampleObject(*description.attribute, group, random);
      object.group = static_cast<int>(g);
      const Box box = BoundingBox(group.shape, object);
      const bool free = std::none_of(boxes.begin(), boxes.end(),
                                     [&](const Box& other) { return Overlap(box, other, kGap); });
      if (!free) continue;
      objects.push_back(object);
      boxes.push_back(box);
      ++member;
      tries = 0;
    }
  }
  return objects;
}

}  // namespace

Box BoundingBox(Shape shape, const Object& object) {
  if (shape == Shape::kCircle) {
    return {object.x - object.radius, object.y - object.radius, object.x + object.radius,
            object.y + object.radius};
  }
  Box box{1e9, 1e9, -1e9, -1e9};
  for (const Point& p : PlacedOutline(shape, object)) {
    box.x0 = std::min(box.x0, p.x);
    box.y0 = std::min(box.y0, p.y);
    box.x1 = std::max(box.x1, p.x);
    box.y1 = std::max(box.y1, p.y);
  }
  return box;
}

bool Overlap(const Box& a, const Box& b, double margin) {
  return a.x0 < b.x1 + margin && b.x0 < a.x1 + margin && a.y0 < b.y1 + margin &&
         b.y0 < a.y1 + margin;
}

Object SampleObject(const Attribute& attribute, const Group& group, Random* random) {
  Object object;
  const auto [smallest, largest] =
      group.large ? attribute.look.large_radius : attribute.look.radius;
  object.radius = random->Uniform(smallest, largest);
  object.angle = random->Uniform(-0.2, 0.2);
  const Box box = BoundingBox(group.shape, object);  // around the origin
  object.x = random->Uniform(kEdge - box.x0, kSceneSize - kEdge - box.x1);
  object.y = random->Uniform(kEdge - box.y0, kSceneSize - kEdge - box.y1);
  return object;
}

Scene SampleScene(const Attribute& attribute, Split split, Random* random) {
  while (true) {
    Scene scene;
    scene.description = SampleDescription(attribute, split, random);
    absl::optional<std::vector<Object>> objects;
    // Several tries for the same words: giving up at once would make crowded scenes rare.
    for (int tries = 0; tries < 10 && !objects; ++tries) objects = Place(scene.description, random);
    if (!objects) continue;
    scene.objects = *std::move(objects);
    return scene;
  }
}

std::vector<float> Coverage(Shape shape, const Object& object) {
  std::vector<float> coverage(kSceneSize * kSceneSize, 0.0f);
  const std::vector<Point> outline = PlacedOutline(shape, object);
  const Box box = BoundingBox(shape, object);
  const auto first = [](double edge) {
    return std::max(0, static_cast<int>(std::floor(edge)) - 1);
  };
  const auto last = [](double edge) {
    return std::min(kSceneSize, static_cast<int>(std::ceil(edge)) + 1);
  };
  for (int y = first(box.y0); y < last(box.y1); ++y) {
    for (int x = first(box.x0); x < last(box.x1); ++x) {
      const Point p{x + 0.5, y + 0.5};
      const double inside = shape == Shape::kCircle
                                ? object.radius - std::hypot(p.x - object.x, p.y - object.y)
                                : DistanceInside(outline, p);
      coverage[y * kSceneSize + x] = static_cast<float>(std::clamp(0.5 + inside, 0.0, 1.0));
    }
  }
  return coverage;
}

}  // namespace unival::world
