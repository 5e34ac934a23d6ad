#include "examples/statements/statement.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/statements/phrases.h"

namespace unival::statements {
namespace {

using world::Random;
using Words = std::vector<std::string>;

int CountBoxes(const Picture& picture, const std::function<bool(const Box&)>& holds) {
  return static_cast<int>(std::count_if(picture.boxes.begin(), picture.boxes.end(), holds));
}

std::string BoxNoun(bool towers, bool plural, Random* random) {
  const Words boxes = {"box", "box", "box", "grey box", "grey square"};
  const std::string noun = towers && random->Chance(0.75) ? "tower" : random->Pick(boxes);
  if (!plural) return noun;
  return absl::StrCat(noun, noun.back() == 'x' ? "es" : "s");
}

std::string With(bool plural, Random* random) {
  const Words one = {" with ", " with ", " with ", " which has ", " that has ", " that contains "};
  const Words many = {" with ", " with ", " with ", " which have ", " that have "};
  return random->Pick(plural ? many : one);
}

// "there are two boxes with a black item".
Statement SomeBoxes(bool towers, Random* random) {
  const Clause clause = SampleClause(towers, random);
  Quantity quantity = SampleQuantity(2, /*may_be_none=*/true, random);
  if (random->Chance(0.3)) quantity = {1, kBoxes, "a", false};
  return {
      absl::StrCat(ThereIs(quantity), " ", quantity.words, " ",
                   BoxNoun(towers, quantity.plural, random), With(quantity.plural, random),
                   clause.words),
      [=](const Picture& picture) { return quantity.Holds(CountBoxes(picture, clause.holds)); }};
}

// "one of the grey square contains exactly two objects".
Statement OneOfTheBoxes(bool towers, Random* random) {
  const Clause clause = SampleClause(towers, random);
  const Words starts = {"one of the grey square ", "one of the grey box ", "one of the boxes ",
                        "at least one grey box "};
  const Words verbs = {"contains ", "has "};
  const std::string start =
      towers && random->Chance(0.6) ? "one of the towers " : random->Pick(starts);
  return {absl::StrCat(start, random->Pick(verbs), clause.words),
          [=](const Picture& picture) { return CountBoxes(picture, clause.holds) > 0; }};
}

// "each box has at least one blue item".
Statement EachBox(bool towers, Random* random) {
  const Clause clause = SampleClause(towers, random);
  const Words boxes = {"each box has ", "each grey box has ", "all boxes have ", "every box has "};
  const Words stacks = {"each tower has ", "all towers have ", "all the towers have "};
  return {absl::StrCat(random->Pick(towers ? stacks : boxes), clause.words),
          [=](const Picture& picture) { return CountBoxes(picture, clause.holds) == kBoxes; }};
}

// "there are exactly two black circles touching the edge".
Statement SomeItems(bool towers, Random* random) {
  const bool placed = !towers && random->Chance(0.7);
  const Kind kind = placed ? SamplePlacedKind(random) : SampleKind(towers, random);
  const Quantity quantity = SampleQuantity(5, /*may_be_none=*/true, random);
  return {absl::StrCat(ThereIs(quantity), " ", Counted(quantity, kind.Words(quantity.plural))),
          [=](const Picture& picture) { return quantity.Holds(kind.CountIn(picture)); }};
}

// "none of the black circles are touching any edge".
Statement NoneOfThem(Random* random) {
  const Kind kind = SamplePlacedKind(random);
  Kind anywhere = kind;
  anywhere.place_words.clear();
  const bool is = random->Chance(0.3);
  return {absl::StrCat("none of the ", anywhere.Words(true), is ? " is" : " are", kind.place_words),
          [=](const Picture& picture) { return kind.CountIn(picture) == 0; }};
}

// "there is a black block as the top of a tower with at least three blocks".
Statement EndsOfTowers(Random* random) {
  const auto color = static_cast<Color>(random->Below(3));
  const bool top = random->Chance(0.5);
  const Quantity blocks = SampleQuantity(4, /*may_be_none=*/false, random);
  const bool any_height = blocks.words == "a" || random->Chance(0.3);
  const Quantity quantity = SampleQuantity(3, /*may_be_none=*/true, random);
  const Words of = {" of a tower", " of the tower", " of a tower"};
  return {
      absl::StrCat(ThereIs(quantity), " ", quantity.words, " ", ColorWord(color), " block",
                   quantity.plural ? "s" : "", " as the ", top ? "top" : "base", random->Pick(of),
                   any_height
                       ? ""
                       : absl::StrCat(" with ", blocks.words, " block", blocks.plural ? "s" : "")),
      [=](const Picture& picture) {
        return quantity.Holds(CountBoxes(picture, [&](const Box& box) {
          const bool high = any_height || blocks.Holds(static_cast<int>(box.size()));
          return high && (top ? box.back() : box.front()).color == color;
        }));
      }};
}

// "there is a black block below a yellow block".
Statement NextBlocks(Random* random) {
  const auto first = static_cast<Color>(random->Below(3));
  const auto second = static_cast<Color>(random->Below(3));
  const bool over = random->Chance(0.7);
  const Words overs = {"on", "above", "over", "on", "on top of"};
  const Words belows = {"below", "bellow", "under", "beneath", "underneath"};
  const Quantity quantity = SampleQuantity(2, /*may_be_none=*/true, random);
  return {absl::StrCat(ThereIs(quantity), " ", quantity.words, " ", ColorWord(first), " block",
                       quantity.plural ? "s " : " ", random->Pick(over ? overs : belows), " a ",
                       ColorWord(second), " block"),
          [=](const Picture& picture) {
            const Color upper = over ? first : second, lower = over ? second : first;
            int pairs = 0;
            for (const Box& box : picture.boxes) {
              for (size_t i = 1; i < box.size(); ++i) {
                pairs += box[i].color == upper && box[i - 1].color == lower ? 1 : 0;
              }
            }
            return quantity.Holds(pairs);
          }};
}

// "the tower with three blocks has a black block at the top".
Statement TheTower(Random* random) {
  const int height = random->Between(1, 4);
  const Clause clause = SampleClause(/*towers=*/true, random);
  const Words exactly = {"", "", "exactly "};
  return {absl::StrCat("the tower with ", random->Pick(exactly), NumberWord(height, random),
                       height == 1 ? " block" : " blocks", " has ", clause.words),
          [=](const Picture& picture) {
            return CountBoxes(picture, [&](const Box& box) {
                     return static_cast<int>(box.size()) == height && clause.holds(box);
                   }) > 0;
          }};
}

// "there is a blue tower with only one block", "there are two black towers".
Statement ColoredTower(Random* random) {
  const auto color = static_cast<Color>(random->Below(3));
  const Quantity quantity = SampleQuantity(2, /*may_be_none=*/true, random);
  const int height = random->Chance(0.3) ? random->Between(1, 3) : 0;  // 0: any
  return {absl::StrCat(ThereIs(quantity), " ", quantity.words, " ", ColorWord(color), " tower",
                       quantity.plural ? "s" : "",
                       height == 0 ? ""
                                   : absl::StrCat(" with only ", NumberWord(height, random),
                                                  height == 1 ? " block" : " blocks")),
          [=](const Picture& picture) {
            return quantity.Holds(CountBoxes(picture, [&](const Box& box) {
              const bool high = height == 0 || static_cast<int>(box.size()) == height;
              return high && std::all_of(box.begin(), box.end(),
                                         [&](const Item& item) { return item.color == color; });
            }));
          }};
}

// "the second block from the base of a tower is black".
Statement BlockOfALevel(Random* random) {
  const auto color = static_cast<Color>(random->Below(3));
  const size_t level = random->Between(2, 3);
  const bool from_base = random->Chance(0.7);
  return {absl::StrCat("the ", level == 2 ? "second" : "third", " block from the ",
                       from_base ? "base" : "top", " of a tower is ", ColorWord(color)),
          [=](const Picture& picture) {
            return CountBoxes(picture, [&](const Box& box) {
                     if (box.size() < level) return false;
                     return box[from_base ? level - 1 : box.size() - level].color == color;
                   }) > 0;
          }};
}

// Of scattered items touching a wall, or of the two ways to speak of towers.
Statement SampleAboutTowers(Random* random) {
  switch (random->PickWeighted({5, 0.5, 0.4, 2, 3, 1.5, 1, 0.8, 0.3})) {
    case 0:
      return SomeBoxes(/*towers=*/true, random);
    case 1:
      return OneOfTheBoxes(/*towers=*/true, random);
    case 2:
      return EachBox(/*towers=*/true, random);
    case 3:
      return SomeItems(/*towers=*/true, random);
    case 4:
      return EndsOfTowers(random);
    case 5:
      return NextBlocks(random);
    case 6:
      return TheTower(random);
    case 7:
      return ColoredTower(random);
    default:
      return BlockOfALevel(random);
  }
}

Statement SampleAboutItems(Random* random) {
  switch (random->PickWeighted({5, 0.7, 0.7, 4, 0.4})) {
    case 0:
      return SomeBoxes(/*towers=*/false, random);
    case 1:
      return OneOfTheBoxes(/*towers=*/false, random);
    case 2:
      return EachBox(/*towers=*/false, random);
    case 3:
      return SomeItems(/*towers=*/false, random);
    default:
      return NoneOfThem(random);
  }
}

}  // namespace

Statement SampleStatement(bool towers, Random* random) {
  Statement statement = towers ? SampleAboutTowers(random) : SampleAboutItems(random);
  if (random->Chance(0.5)) statement.words += ".";
  return statement;
}

}  // namespace unival::statements
