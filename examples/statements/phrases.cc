#include "examples/statements/phrases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/english.h"

namespace unival::statements {
namespace {

using world::Random;

constexpr int kManyThings = 1000;  // no picture holds as many

using Words = std::vector<std::string>;

bool IsAt(Place place, const Item& item) {
  const bool bottom = item.y + item.size == kBoxSide, right = item.x + item.size == kBoxSide;
  const bool top = item.y == 0, left = item.x == 0;
  switch (place) {
    case Place::kAnywhere:
      return true;
    case Place::kBottom:
      return bottom;
    case Place::kRightWall:
      return right;
    case Place::kEdge:
      return bottom || right || top || left;
    case Place::kCorner:
      return (bottom || top) && (left || right);
  }
  return false;
}

Words WordsOf(Place place) {
  switch (place) {
    case Place::kAnywhere:
      return {};
    case Place::kBottom:
      return {"closely touching the bottom of a box", "touching the base", "touching the bottom"};
    case Place::kRightWall:
      return {"closely touching right wall of a box", "touching the right wall"};
    case Place::kEdge:
      return {"touching the edge", "touching any edge", "touching an edge",
              "touching the wall", "touching the side", "closely touching a wall of a box"};
    case Place::kCorner:
      return {"touching the corner", "closely touching a corner", "touching a corner of a box"};
  }
  return {};
}

void SampleLook(Random* random, Kind* kind) {
  const Words any = {"item", "object", "item", "object", "shape"};
  const bool colored = random->Chance(0.8);
  if (colored) kind->color = static_cast<Color>(random->Below(3));
  if (random->Chance(colored ? 0.55 : 0.6)) {
    kind->shape = static_cast<Shape>(random->Below(3));
    kind->noun = ShapeWord(*kind->shape);
  } else {
    kind->noun = random->Pick(any);
  }
  if (random->Chance(0.08)) kind->size = kSizes[random->Below(kSizes.size())];
}

}  // namespace

const char* ColorWord(Color color) {
  constexpr std::array<const char*, 3> kWords = {"black", "blue", "yellow"};
  return kWords[static_cast<int>(color)];
}

std::string ShapeWord(Shape shape) {
  constexpr std::array<const char*, 3> kWords = {"circle", "square", "triangle"};
  return kWords[static_cast<int>(shape)];
}

const char* SizeWord(int size) {
  return size == kSizes[0] ? "small" : size == kSizes[1] ? "medium" : "big";
}

std::string NumberWord(int number, Random* random) {
  static const auto* const kWords =
      new Words{"zero", "one", "two", "three", "four", "five", "six", "seven"};
  if (number >= static_cast<int>(kWords->size()) || random->Chance(0.4))
    return absl::StrCat(number);
  return (*kWords)[number];
}

bool Kind::Holds(const Item& item) const {
  return (!color.has_value() || item.color == *color) &&
         (!shape.has_value() || item.shape == *shape) &&
         (!size.has_value() || item.size == *size) && IsAt(place, item) != is_elsewhere;
}

int Kind::CountIn(const Box& box) const {
  return static_cast<int>(
      std::count_if(box.begin(), box.end(), [this](const Item& item) { return Holds(item); }));
}

int Kind::CountIn(const Picture& picture) const {
  int count = 0;
  for (const Box& box : picture.boxes) count += CountIn(box);
  return count;
}

std::string Kind::Words(bool plural) const {
  std::string words = size.has_value() ? absl::StrCat(SizeWord(*size), " ") : "";
  if (color.has_value()) absl::StrAppend(&words, ColorWord(*color), " ");
  return absl::StrCat(words, noun, plural ? "s" : "", place_words);
}

Kind SampleKind(bool towers, Random* random) {
  Kind kind;
  if (!towers) {
    SampleLook(random, &kind);
    return kind;
  }
  const Words blocks = {"block", "block", "block", "block", "square", "item"};
  kind.noun = random->Pick(blocks);
  if (random->Chance(0.85)) kind.color = static_cast<Color>(random->Below(3));
  return kind;
}

Kind SamplePlacedKind(Random* random) {
  const std::vector<Place> places = {Place::kBottom, Place::kBottom, Place::kRightWall,
                                     Place::kEdge,   Place::kEdge,   Place::kEdge,
                                     Place::kCorner};
  Kind kind = SampleKind(/*towers=*/false, random);
  kind.place = random->Pick(places);
  kind.is_elsewhere = random->Chance(kind.place == Place::kEdge ? 0.35 : 0.1);
  kind.place_words =
      absl::StrCat(kind.is_elsewhere ? " not " : " ", random->Pick(WordsOf(kind.place)));
  return kind;
}

Quantity SampleQuantity(int most, bool may_be_none, Random* random) {
  if (may_be_none && random->Chance(0.1)) return {0, 0, "no", false};
  if (random->Chance(0.35)) return {1, kManyThings, "a", false};
  // Small numbers are more often spoken of.
  const int n = std::min(random->Between(1, most), random->Between(1, most));
  const std::string number = NumberWord(n, random);
  const bool plural = n > 1;
  switch (random->PickWeighted({4, 3, 3, 0.5, 0.4})) {
    case 0:
      return {n, n, number, plural};
    case 1:
      return {n, n, absl::StrCat("exactly ", number), plural};
    case 2:
      return {n, kManyThings, absl::StrCat(random->Chance(0.9) ? "at least " : "atleast ", number),
              plural};
    case 3:
      return {n, n, absl::StrCat("only ", number), plural};
    default:
      return {0, n, absl::StrCat("at most ", number), plural};
  }
}

std::string Counted(const Quantity& quantity, const std::string& words) {
  return quantity.words == "a" ? WithArticle(words) : absl::StrCat(quantity.words, " ", words);
}

std::string ThereIs(const Quantity& quantity) { return quantity.plural ? "there are" : "there is"; }

}  // namespace unival::statements
