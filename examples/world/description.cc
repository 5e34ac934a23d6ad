#include "examples/world/description.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "sdk/base/english.h"

namespace unival::world {
namespace {

// Leaked on purpose: constants that outlive every user.
const std::vector<std::string>& Numbers() {
  static const auto* words = new std::vector<std::string>{"zero", "one", "two",   "three", "four",
                                                          "five", "six", "seven", "eight", "nine"};
  return *words;
}

bool ComesBefore(const Group& a, const Group& b) {
  return std::make_tuple(-a.count, a.shape, a.attribute) <
         std::make_tuple(-b.count, b.shape, b.attribute);
}

Group SampleGroup(const Attribute& attribute, int count, Random* random) {
  Group group;
  group.count = count;
  group.attribute = random->Below(static_cast<int>(attribute.words.size()));
  group.shape = static_cast<Shape>(random->Below(kShapeCount));
  // Three large shapes and something else would not fit.
  group.large = attribute.has_sizes && count <= 2 && random->Chance(0.3);
  return group;
}

// Makes the second group like the first in colour or in shape. Which word belongs to which group is
// learned best from groups that differ in one property only, and among eight colours two equal ones
// are rare.
void MakeAlike(Description* description, Random* random) {
  const Group& first = description->groups[0];
  Group second = description->groups[1];
  if (random->Chance(0.6)) {
    second.attribute = first.attribute;
  } else {
    second.shape = first.shape;
  }
  if (description->CountOf(second.shape, second.attribute) > 0) return;
  description->groups[1] = second;
}

Attribute MakeVariedColors() {
  Attribute varied = Colors();
  varied.look = {{6, 10}, {11.5, 13.5}, /*darkest=*/3, /*shades=*/true, /*stairs=*/true};
  varied.alike = 0.35;
  return varied;
}

}  // namespace

const std::vector<std::string>& ShapeNames() {
  static const auto* names =
      new std::vector<std::string>{"circle", "square", "triangle", "star", "cross"};
  return *names;
}

const std::string& ShapeName(Shape shape) { return ShapeNames()[static_cast<int>(shape)]; }

std::string ShapePlural(Shape shape) {
  return absl::StrCat(ShapeName(shape), shape == Shape::kCross ? "es" : "s");
}

const Attribute& Colors() {
  static const auto* colors =
      new Attribute{"color",
                    {"red", "green", "blue", "yellow", "purple", "orange", "white", "gray"},
                    "what color is the",
                    "what color are the",
                    /*has_sizes=*/true,
                    /*look=*/{{6, 8}, {11, 13}}};
  return *colors;
}

const Attribute& VariedColors() {
  static const auto* varied = new Attribute(MakeVariedColors());
  return *varied;
}

const Attribute& Distances() {
  static const auto* distances = new Attribute{"distance",          {"near", "middle", "far"},
                                               "how far is the",    "how far are the",
                                               /*has_sizes=*/false,
                                               /*look=*/{{6, 10}}};
  return *distances;
}

int Description::TotalCount() const {
  int total = 0;
  for (const Group& group : groups) total += group.count;
  return total;
}

int Description::CountOf(Shape shape) const {
  int total = 0;
  for (const Group& group : groups) total += group.shape == shape ? group.count : 0;
  return total;
}

int Description::CountOf(Shape shape, int wanted) const {
  int total = 0;
  for (const Group& group : groups) {
    total += group.shape == shape && group.attribute == wanted ? group.count : 0;
  }
  return total;
}

bool IsHeldOut(const Attribute& attribute, Shape shape, int index) {
  if (&attribute != &Distances()) return false;
  return (shape == Shape::kStar && index == 0) || (shape == Shape::kTriangle && index == 1) ||
         (shape == Shape::kCross && index == 2);
}

bool HasHeldOut(const Description& description) {
  return std::any_of(description.groups.begin(), description.groups.end(), [&](const Group& g) {
    return IsHeldOut(*description.attribute, g.shape, g.attribute);
  });
}

Description SampleDescription(const Attribute& attribute, Random* random) {
  static const auto* counts =
      new std::vector<std::vector<int>>{{1}, {2}, {3}, {4}, {1, 1}, {2, 1}, {2, 2}, {3, 1}};
  static const auto* weights = new std::vector<double>{16, 10, 8, 6, 28, 18, 7, 7};
  Description description;
  description.attribute = &attribute;
  for (int count : (*counts)[random->PickWeighted(*weights)]) {
    Group group = SampleGroup(attribute, count, random);
    while (description.CountOf(group.shape, group.attribute) > 0) {
      group = SampleGroup(attribute, count, random);
    }
    description.groups.push_back(group);
  }
  // No random number is used where groups are not made alike, so that the scenes of other kinds
  // stay the same for a seed.
  const bool pair = description.groups.size() == 2;
  if (pair && attribute.alike > 0 && random->Chance(attribute.alike))
    MakeAlike(&description, random);
  std::sort(description.groups.begin(), description.groups.end(), ComesBefore);
  return description;
}

Description SampleDescription(const Attribute& attribute, Split split, Random* random) {
  Description description = SampleDescription(attribute, random);
  const bool wanted = split == Split::kHeldOut && &attribute == &Distances();
  while (HasHeldOut(description) != wanted) description = SampleDescription(attribute, random);
  return description;
}

const std::string& NumberWord(int n) { return Numbers()[n]; }

std::string Member(const Attribute& attribute, const Group& group) {
  return absl::StrCat(group.large ? "large " : "", attribute.words[group.attribute], " ",
                      ShapeName(group.shape));
}

std::string NounPhrase(const Attribute& attribute, const Group& group) {
  if (group.count == 1) return WithArticle(Member(attribute, group));
  return absl::StrCat(NumberWord(group.count), " ", Member(attribute, group),
                      group.shape == Shape::kCross ? "es" : "s");
}

std::string Caption(const Description& description) {
  std::string caption;
  for (const Group& group : description.groups) {
    if (!caption.empty()) caption += " and ";
    caption += NounPhrase(*description.attribute, group);
  }
  return caption;
}

}  // namespace unival::world
