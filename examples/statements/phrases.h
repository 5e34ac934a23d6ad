// unival: phrases.h - the parts of statements, each as words together with what they mean: kinds of
// items ("small yellow circles touching the base") and numbers of things ("at least two").
#ifndef UNIVAL_EXAMPLES_STATEMENTS_PHRASES_H_
#define UNIVAL_EXAMPLES_STATEMENTS_PHRASES_H_

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "examples/statements/picture.h"

namespace unival::statements {

// Where in its box an item lies.
enum class Place { kAnywhere, kBottom, kRightWall, kEdge, kCorner };

const char* ColorWord(Color color);
std::string ShapeWord(Shape shape);
// "small", "medium", "big".
const char* SizeWord(int size);
// `number` in letters or digits.
std::string NumberWord(int number, world::Random* random);

struct Kind {
  absl::optional<Color> color;
  absl::optional<Shape> shape;
  absl::optional<int> size;
  Place place = Place::kAnywhere;
  bool is_elsewhere = false;  // not at `place`
  std::string noun = "item";  // without "s"
  std::string place_words;    // behind the noun, with a blank before; empty: anywhere

  bool Holds(const Item& item) const;
  int CountIn(const Box& box) const;
  int CountIn(const Picture& picture) const;
  // "yellow circles touching the base".
  std::string Words(bool plural) const;
};

// Items of these pictures: of some color or shape or size, mostly anywhere.
Kind SampleKind(bool towers, world::Random* random);
// One that speaks of a place; scattered items only.
Kind SamplePlacedKind(world::Random* random);

struct Quantity {
  int least = 0, most = 0;
  std::string words;    // "a", "no", "exactly two"
  bool plural = false;  // of the noun behind it, and of "are"

  bool Holds(int number) const { return least <= number && number <= most; }
};

// Of 1 to `most` things; sometimes of none where `may_be_none`.
Quantity SampleQuantity(int most, bool may_be_none, world::Random* random);
// "an item", "no black items", "exactly two circles".
std::string Counted(const Quantity& quantity, const std::string& words);
// "there is", "there are".
std::string ThereIs(const Quantity& quantity);

}  // namespace unival::statements

#endif  // UNIVAL_EXAMPLES_STATEMENTS_PHRASES_H_
