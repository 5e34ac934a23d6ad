// unival: description.h
//
// What a scene holds, in words: one or two groups of equal shapes, and the caption that names them.
//
//   Random random(7);
//   Description scene = SampleDescription(Colors(), &random);
//   Caption(scene);                       // "two red circles and a large blue square"
//
// A group is count x attribute x shape. The attribute is the colour in pictures and the distance in
// depth maps; both kinds of scene share everything else. Captions have one canonical order (larger
// groups first, then the order of shapes, then of attributes), so that one picture has one caption.
#ifndef UNIVAL_EXAMPLES_WORLD_DESCRIPTION_H_
#define UNIVAL_EXAMPLES_WORLD_DESCRIPTION_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "examples/world/random.h"

namespace unival::world {

enum class Shape { kCircle, kSquare, kTriangle, kStar, kCross };
inline constexpr int kShapeCount = 5;

const std::vector<std::string>& ShapeNames();
const std::string& ShapeName(Shape shape);
std::string ShapePlural(Shape shape);

// How scenes are drawn.
struct Look {
  std::pair<double, double> radius;             // pixels, of what is not large
  std::pair<double, double> large_radius = {};  // pixels
  double darkest = 12;  // gray level of the darkest background, of at most 32
  bool shades = false;  // many shades of a colour instead of one, slightly jittered
  bool stairs = false;  // about half of the pictures have stairs for edges
};

// The property that tells groups of one shape apart, and what scenes made of it look like.
struct Attribute {
  std::string name;                // "color" or "distance": the `kind` of questions about it
  std::vector<std::string> words;  // "red", "green", ... or "near", "middle", "far"
  std::string ask_one;             // "what color is the"
  std::string ask_many;            // "what color are the"
  bool has_sizes = false;          // groups may be "large"
  Look look;
  double alike = 0;  // how often it is tried to make a second group like the first
};

const Attribute& Colors();
// The same words for pictures that vary: many shades and sizes, sharp and smooth edges, and more
// often groups of one colour or one shape.
const Attribute& VariedColors();
const Attribute& Distances();

struct Group {
  int count = 1;
  int attribute = 0;  // index into Attribute::words
  Shape shape = Shape::kCircle;
  bool large = false;  // small is not said
};

struct Description {
  const Attribute* attribute = nullptr;  // lives for ever
  std::vector<Group> groups;             // in the order of the caption

  int TotalCount() const;
  // Objects of this shape; and of this shape and attribute.
  int CountOf(Shape shape) const;
  int CountOf(Shape shape, int attribute) const;
};

// Combinations of shape and distance that training splits never contain: near star, middle
// triangle, far cross. Always false for colours.
bool IsHeldOut(const Attribute& attribute, Shape shape, int index);
bool HasHeldOut(const Description& description);

// One to four objects in one or two groups.
Description SampleDescription(const Attribute& attribute, Random* random);
// The same, drawn until held-out combinations are absent (kTrain, kEval) or present (kHeldOut).
Description SampleDescription(const Attribute& attribute, Split split, Random* random);

// "zero" to "nine"; n in [0, 9].
const std::string& NumberWord(int n);
// "large red circle", "red circle": a member of the group.
std::string Member(const Attribute& attribute, const Group& group);
// "two large red circles".
std::string NounPhrase(const Attribute& attribute, const Group& group);
std::string Caption(const Description& description);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_DESCRIPTION_H_
