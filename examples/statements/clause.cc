// What statements say of one box or tower.
#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/statements/phrases.h"
#include "examples/statements/statement.h"

namespace unival::statements {
namespace {

using world::Random;
using Words = std::vector<std::string>;

constexpr int kMostOfAKind = 4;

Color SampleColor(Random* random) { return static_cast<Color>(random->Below(3)); }

// Two that differ.
std::pair<Color, Color> SampleColors(Random* random) {
  const int first = random->Below(3);
  return {static_cast<Color>(first), static_cast<Color>((first + random->Between(1, 2)) % 3)};
}

std::set<Color> ColorsOf(const Box& box) {
  std::set<Color> colors;
  for (const Item& item : box) colors.insert(item.color);
  return colors;
}

std::string ColorNoun(Random* random) { return random->Chance(0.8) ? "color" : "colour"; }

Kind AnyKind(bool towers, Random* random) {
  Kind kind;
  kind.noun = towers ? "block" : random->Chance(0.6) ? "item" : "object";
  return kind;
}

// "two black items".
Clause Some(bool towers, Random* random) {
  Kind kind = SampleKind(towers, random);
  if (!towers && random->Chance(0.1)) kind = SamplePlacedKind(random);
  const Quantity quantity = SampleQuantity(kMostOfAKind, /*may_be_none=*/true, random);
  return {Counted(quantity, kind.Words(quantity.plural)),
          [=](const Box& box) { return quantity.Holds(kind.CountIn(box)); }};
}

// "five items".
Clause Number(bool towers, Random* random) {
  const Kind kind = AnyKind(towers, random);
  const Quantity quantity = SampleQuantity(towers ? 4 : 7, /*may_be_none=*/false, random);
  const bool only = quantity.least == quantity.most && random->Chance(0.3);
  const std::string words =
      only ? absl::StrCat("only ", NumberWord(quantity.least, random)) : quantity.words;
  const Quantity said = {quantity.least, quantity.most, words, quantity.plural};
  return {Counted(said, kind.Words(quantity.plural)),
          [=](const Box& box) { return quantity.Holds(static_cast<int>(box.size())); }};
}

// "a blue square and two black items", sometimes of three kinds.
Clause Several(bool towers, Random* random) {
  std::vector<Clause> parts;
  const int count = random->Chance(0.8) ? 2 : 3;
  std::array<int, 3> colors = {0, 1, 2};
  std::vector<int> order(colors.begin(), colors.end());
  random->Shuffle(&order);
  for (int i = 0; i < count; ++i) {
    Kind kind = SampleKind(towers, random);
    kind.color = static_cast<Color>(order[i]);
    const Quantity quantity = SampleQuantity(2, /*may_be_none=*/false, random);
    parts.push_back({Counted(quantity, kind.Words(quantity.plural)),
                     [=](const Box& box) { return quantity.Holds(kind.CountIn(box)); }});
  }
  std::string words = parts[0].words;
  for (int i = 1; i < count; ++i) {
    absl::StrAppend(&words, i + 1 == count ? " and " : ", ", parts[i].words);
  }
  return {words, [parts](const Box& box) {
            return std::all_of(parts.begin(), parts.end(),
                               [&](const Clause& part) { return part.holds(box); });
          }};
}

// "only yellow items", "only black and blue blocks".
Clause OnlyColors(bool towers, Random* random) {
  Kind kind = SampleKind(towers, random);
  if (random->Chance(0.45)) {
    if (!kind.shape.has_value()) kind.color = SampleColor(random);
    return {absl::StrCat("only ", kind.Words(true)),
            [kind](const Box& box) { return kind.CountIn(box) == static_cast<int>(box.size()); }};
  }
  const auto [first, second] = SampleColors(random);
  const std::set<Color> colors = {first, second};
  const std::string words = absl::StrCat(ColorWord(first), " and ", ColorWord(second));
  const std::string noun = AnyKind(towers, random).Words(true);
  return {random->Chance(0.7) ? absl::StrCat("only ", words, " ", noun)
                              : absl::StrCat(noun, " of only ", words, " ", ColorNoun(random)),
          [colors](const Box& box) { return ColorsOf(box) == colors; }};
}

// "three items of two different colors", "four blocks of the same color".
Clause HowManyColors(bool towers, Random* random) {
  const int count = random->Between(2, towers ? 4 : 6);
  const int colors = random->Between(1, std::min(count, 3));
  const std::string noun = AnyKind(towers, random).Words(true);
  const std::string of =
      colors == 1 ? absl::StrCat("the same ", ColorNoun(random))
                  : absl::StrCat(NumberWord(colors, random), " different ", ColorNoun(random), "s");
  return {absl::StrCat(NumberWord(count, random), " ", noun, " of ", of),
          [count, colors](const Box& box) {
            return static_cast<int>(box.size()) == count &&
                   static_cast<int>(ColorsOf(box).size()) == colors;
          }};
}

// "four items of which two are black".
Clause SomeOfThem(bool towers, Random* random) {
  const int count = random->Between(2, towers ? 4 : 6);
  const int part = random->Between(1, count);
  Kind kind;
  kind.color = SampleColor(random);
  const Words joins = {" of which ", " and ", " and the "};
  return {absl::StrCat(NumberWord(count, random), " ", AnyKind(towers, random).Words(true),
                       random->Pick(joins), NumberWord(part, random), part == 1 ? " is " : " are ",
                       ColorWord(*kind.color)),
          [=](const Box& box) {
            return static_cast<int>(box.size()) == count && kind.CountIn(box) == part;
          }};
}

// "a black block at the top".
Clause Level(Random* random) {
  const Color color = SampleColor(random);
  const Words tops = {"at the top", "on top", "as the top"};
  const Words bases = {"at the base", "at the base", "at base", "at the bottom",
                       "touching the base"};
  const std::string block = absl::StrCat("a ", ColorWord(color), " block ");
  if (random->Chance(0.1)) {
    return {absl::StrCat(block, "in the middle"), [color](const Box& box) {
              return std::any_of(box.begin(), box.end(), [&](const Item& item) {
                return item.color == color && &item != &box.front() && &item != &box.back();
              });
            }};
  }
  if (random->Chance(0.5)) {
    return {absl::StrCat(block, random->Pick(tops)),
            [color](const Box& box) { return box.back().color == color; }};
  }
  return {absl::StrCat(block, random->Pick(bases)),
          [color](const Box& box) { return box.front().color == color; }};
}

// "a blue block over a black block".
Clause Over(Random* random) {
  const Color upper = SampleColor(random), lower = SampleColor(random);
  const Words overs = {" block over a ", " block above a ", " block on a ", " block on top of a "};
  return {absl::StrCat("a ", ColorWord(upper), random->Pick(overs), ColorWord(lower), " block"),
          [=](const Box& box) {
            for (size_t i = 1; i < box.size(); ++i) {
              if (box[i].color == upper && box[i - 1].color == lower) return true;
            }
            return false;
          }};
}

// "two black blocks stacked together".
Clause Run(Random* random) {
  const Color color = SampleColor(random);
  const int length = random->Between(2, 3);
  return {
      absl::StrCat(NumberWord(length, random), " ", ColorWord(color), " blocks stacked together"),
      [=](const Box& box) {
        int run = 0;
        for (const Item& item : box) {
          run = item.color == color ? run + 1 : 0;
          if (run == length) return true;
        }
        return false;
      }};
}

// "exactly one block which is of black color".
Clause Alone(bool towers, Random* random) {
  Kind kind = SampleKind(towers, random);
  kind.color = SampleColor(random);
  const Words ones = {"exactly one", "only one", "one", "only 1", "a single"};
  const Words whiches = {" which is ", " that is ", " which is a ", " which is of color "};
  const Words nouns = {"item", "object"};
  const std::string noun = towers ? "block" : random->Pick(nouns);
  std::string which = random->Pick(whiches);
  std::string what = ColorWord(*kind.color);
  if (which == " which is a ") absl::StrAppend(&what, " ", kind.noun);
  const bool any_shape = which != " which is a ";
  if (any_shape) kind.shape.reset();
  kind.size.reset();
  return {absl::StrCat(random->Pick(ones), " ", noun, which, what),
          [kind](const Box& box) { return box.size() == 1 && kind.CountIn(box) == 1; }};
}

}  // namespace

Clause SampleClause(bool towers, Random* random) {
  // Some, Number, Several, OnlyColors, HowManyColors, SomeOfThem, Alone; Level, Over, Run.
  const std::vector<double> scattered = {4, 3, 4, 2, 1, 1, 0.7};
  const std::vector<double> stacked = {3, 2, 1.2, 1.5, 0.7, 0.6, 0.7, 5, 2.5, 0.8};
  switch (random->PickWeighted(towers ? stacked : scattered)) {
    case 0:
      return Some(towers, random);
    case 1:
      return Number(towers, random);
    case 2:
      return Several(towers, random);
    case 3:
      return OnlyColors(towers, random);
    case 4:
      return HowManyColors(towers, random);
    case 5:
      return SomeOfThem(towers, random);
    case 6:
      return Alone(towers, random);
    case 7:
      return Level(random);
    case 8:
      return Over(random);
    default:
      return Run(random);
  }
}

}  // namespace unival::statements
