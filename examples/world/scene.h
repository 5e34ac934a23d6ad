// unival: scene.h
//
// Places the shapes of a description and renders them, as a picture or as a depth map.
//
//   Random random(7);
//   Scene scene = SampleScene(Colors(), Split::kTrain, &random);
//   RgbImage picture = RenderRgb(scene, &random);             // 64 x 64
//   const Group& group = scene.description.groups[scene.objects[0].group];
//   Box box = BoundingBox(group.shape, scene.objects[0]);
//
// Pixels: x to the right, y down, pixel (i, j) covers [i, i+1) x [j, j+1). Angles in radians.
#ifndef UNIVAL_EXAMPLES_WORLD_SCENE_H_
#define UNIVAL_EXAMPLES_WORLD_SCENE_H_

#include <cstdint>
#include <vector>

#include "examples/world/description.h"
#include "examples/world/random.h"

namespace unival::world {

inline constexpr int kSceneSize = 64;  // pixels, width and height

struct RgbImage {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;  // [height, width, 3]
};

struct DepthImage {
  int width = 0;
  int height = 0;
  std::vector<uint16_t> millimetres;  // [height, width]
};

// Edges in pixels, x0 < x1 and y0 < y1.
struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

struct Object {
  int group = 0;  // index into Description::groups
  double x = 0;   // centre
  double y = 0;
  double radius = 0;
  double angle = 0;
};

struct Scene {
  Description description;
  std::vector<Object> objects;
};

// Draws until every shape fits; the boxes of a scene are at least two pixels apart.
Scene SampleScene(const Attribute& attribute, Split split, Random* random);

// An object of the group at a random place, wholly inside the picture.
Object SampleObject(const Attribute& attribute, const Group& group, Random* random);

// The tight box around the outline.
Box BoundingBox(Shape shape, const Object& object);
bool Overlap(const Box& a, const Box& b, double margin);

// How much of each pixel the shape covers: [kSceneSize, kSceneSize] in [0, 1], anti-aliased edges.
std::vector<float> Coverage(Shape shape, const Object& object);

// Shapes on a dark, slightly noisy background, drawn as the attribute's look says.
RgbImage RenderRgb(const Scene& scene, Random* random);

// Metres away: near about 1, middle about 2.5, far about 4.5, a sloping background of 6 to 8.
DepthImage RenderDepth(const Scene& scene, Random* random);

// Pieces of RenderRgb for moving pictures.
struct Rgb {
  double red, green, blue;  // 0..255
};
Rgb JitteredColor(int color, Random* random);
// A shade that the colour word still covers.
Rgb ShadeOf(int color, Random* random);
RgbImage DarkBackground(double darkest, Random* random);  // gray, `darkest` to 32, plus noise of 3
void Paint(const std::vector<float>& coverage, const Rgb& color, RgbImage* image);

// A picture of the depth map for people: warm is near, cold is far.
RgbImage ColorizeDepth(const DepthImage& depth);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_SCENE_H_
