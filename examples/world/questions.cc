#include "examples/world/questions.h"

#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sdk/base/english.h"

namespace unival::world {
namespace {

using MaybeQuestion = absl::optional<Question>;

// Asks about one description; every method gives nothing where its kind of question has no clear
// answer.
class Asker {
 public:
  Asker(const Description& description, bool name_held_out, Random* random)
      : description_(description),
        attribute_(*description.attribute),
        name_held_out_(name_held_out),
        random_(random) {}

  MaybeQuestion Count() {
    const Group& group = random_->Pick(description_.groups);
    switch (random_->PickWeighted({4, 3, 2, 2, 1})) {
      case 0:
        return HowMany(ShapePlural(group.shape), description_.CountOf(group.shape));
      case 1:
        return HowMany(absl::StrCat(Word(group.attribute), " ", ShapePlural(group.shape)),
                       description_.CountOf(group.shape, group.attribute));
      case 2:
        return HowMany(absl::StrCat(Word(group.attribute), " shapes"),
                       CountOfAttribute(group.attribute));
      case 3:
        return HowMany("shapes", description_.TotalCount());
      default: {
        const Shape shape = RandomShape();
        return HowMany(ShapePlural(shape), description_.CountOf(shape));
      }
    }
  }

  // "what color is the star?" where all stars agree.
  MaybeQuestion AttributeOf() {
    const Group& group = random_->Pick(description_.groups);
    const int count = description_.CountOf(group.shape);
    if (count != group.count) return absl::nullopt;
    const std::string& ask = count == 1 ? attribute_.ask_one : attribute_.ask_many;
    const std::string name = count == 1 ? ShapeName(group.shape) : ShapePlural(group.shape);
    return Question{absl::StrCat(ask, " ", name, "?"), Word(group.attribute), attribute_.name};
  }

  // "what shape is red?" where everything red has one shape.
  MaybeQuestion ShapeOf() {
    const Group& group = random_->Pick(description_.groups);
    if (CountOfAttribute(group.attribute) != group.count) return absl::nullopt;
    return Question{absl::StrCat("what shape is ", Word(group.attribute), "?"),
                    ShapeName(group.shape), "shape"};
  }

  // As many with the answer yes as no. Most denied combinations share a word with what is there.
  MaybeQuestion YesNo() {
    Group group = random_->Pick(description_.groups);
    const bool yes = random_->Chance(0.5);
    const bool same_shape = random_->Chance(0.5);
    const auto unfit = [&] {
      return description_.CountOf(group.shape, group.attribute) > 0 ||
             (!name_held_out_ && IsHeldOut(attribute_, group.shape, group.attribute));
    };
    for (int tries = 0; !yes && unfit(); ++tries) {
      if (same_shape || tries > 10) group.attribute = RandomAttribute();
      if (!same_shape || tries > 10) group.shape = RandomShape();
    }
    const std::string thing =
        WithArticle(absl::StrCat(Word(group.attribute), " ", ShapeName(group.shape)));
    return Question{absl::StrCat("is there ", thing, "?"), yes ? "yes" : "no", "yesno"};
  }

  MaybeQuestion Size() {
    if (!attribute_.has_sizes) return absl::nullopt;
    const Group& group = random_->Pick(description_.groups);
    if (description_.CountOf(group.shape) != 1) return absl::nullopt;
    return Question{absl::StrCat("what size is the ", ShapeName(group.shape), "?"),
                    group.large ? "large" : "small", "size"};
  }

  // "the circle", or "the red circle" among others; nothing for members of a group.
  absl::optional<std::string> Name(const Group& group) const {
    if (group.count != 1) return absl::nullopt;
    if (description_.CountOf(group.shape) == 1) return absl::StrCat("the ", ShapeName(group.shape));
    return absl::StrCat("the ", Word(group.attribute), " ", ShapeName(group.shape));
  }

 private:
  MaybeQuestion HowMany(const std::string& things, int count) const {
    return Question{absl::StrCat("how many ", things, " are there?"), NumberWord(count), "count"};
  }

  int CountOfAttribute(int attribute) const {
    int total = 0;
    for (const Group& group : description_.groups) {
      total += group.attribute == attribute ? group.count : 0;
    }
    return total;
  }

  const std::string& Word(int attribute) const { return attribute_.words[attribute]; }
  int RandomAttribute() { return random_->Below(static_cast<int>(attribute_.words.size())); }
  Shape RandomShape() { return static_cast<Shape>(random_->Below(kShapeCount)); }

  const Description& description_;
  const Attribute& attribute_;
  const bool name_held_out_;
  Random* const random_;
};

// "is the circle left or right of the square?", only where the answer is plain to see.
MaybeQuestion SideQuestion(const Scene& scene, const Asker& asker, Random* random) {
  constexpr double kClear = 9;  // pixels
  const int count = static_cast<int>(scene.objects.size());
  if (count < 2) return absl::nullopt;
  const int first = random->Below(count);
  const int second = (first + 1 + random->Below(count - 1)) % count;
  const Object &a = scene.objects[first], &b = scene.objects[second];
  const auto name_a = asker.Name(scene.description.groups[a.group]);
  const auto name_b = asker.Name(scene.description.groups[b.group]);
  if (!name_a || !name_b) return absl::nullopt;
  const double dx = a.x - b.x, dy = a.y - b.y;
  if (std::abs(dx) >= kClear && (std::abs(dy) < kClear || random->Chance(0.5))) {
    return Question{absl::StrCat("is ", *name_a, " left or right of ", *name_b, "?"),
                    dx < 0 ? "left" : "right", "position"};
  }
  if (std::abs(dy) < kClear) return absl::nullopt;
  return Question{absl::StrCat("is ", *name_a, " above or below ", *name_b, "?"),
                  dy < 0 ? "above" : "below", "position"};
}

// "where is the red circle?" -> "top left".
MaybeQuestion WhereQuestion(const Scene& scene, const Asker& asker, Random* random) {
  constexpr double kClear = 5;  // pixels from the middle lines
  const Object& object = random->Pick(scene.objects);
  const auto name = asker.Name(scene.description.groups[object.group]);
  const double dx = object.x - kSceneSize / 2, dy = object.y - kSceneSize / 2;
  if (!name || std::abs(dx) < kClear || std::abs(dy) < kClear) return absl::nullopt;
  return Question{absl::StrCat("where is ", *name, "?"),
                  absl::StrCat(dy < 0 ? "top " : "bottom ", dx < 0 ? "left" : "right"), "position"};
}

std::vector<Question> AskSome(std::vector<std::function<MaybeQuestion()>> askers, int most,
                              Random* random) {
  random->Shuffle(&askers);
  std::vector<Question> questions;
  for (const auto& ask : askers) {
    if (static_cast<int>(questions.size()) == most) break;
    if (MaybeQuestion question = ask()) questions.push_back(*std::move(question));
  }
  return questions;
}

std::vector<std::function<MaybeQuestion()>> DescriptionAskers(Asker* asker) {
  return {[=] { return asker->Count(); }, [=] { return asker->AttributeOf(); },
          [=] { return asker->ShapeOf(); }, [=] { return asker->YesNo(); },
          [=] { return asker->Size(); }};
}

}  // namespace

std::vector<Question> AskAboutDescription(const Description& description, int most,
                                          bool name_held_out, Random* random) {
  Asker asker(description, name_held_out, random);
  return AskSome(DescriptionAskers(&asker), most, random);
}

std::vector<Question> AskAboutScene(const Scene& scene, int most, bool name_held_out,
                                    Random* random) {
  Asker asker(scene.description, name_held_out, random);
  auto askers = DescriptionAskers(&asker);
  askers.push_back([&] {
    MaybeQuestion side = SideQuestion(scene, asker, random);
    if (side && random->Chance(0.6)) return side;
    MaybeQuestion where = WhereQuestion(scene, asker, random);
    return where ? where : side;
  });
  return AskSome(std::move(askers), most, random);
}

std::vector<Referent> Referents(const Scene& scene, Random* random) {
  std::vector<Referent> referents;
  const Description& description = scene.description;
  for (const Object& object : scene.objects) {
    const Group& group = description.groups[object.group];
    if (group.count != 1) continue;
    const bool only_one = description.CountOf(group.shape) == 1;
    const std::string text = only_one && random->Chance(0.35)
                                 ? ShapeName(group.shape)
                                 : absl::StrCat(description.attribute->words[group.attribute], " ",
                                                ShapeName(group.shape));
    referents.push_back(
        {object.group, absl::StrCat("the ", text), BoundingBox(group.shape, object)});
  }
  return referents;
}

}  // namespace unival::world
