#include "examples/world/motion.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sdk/base/english.h"

namespace unival::world {
namespace {

struct MotionRule {
  const char* phrase;
  double dx, dy;    // direction of the travel
  double from, to;  // radius, times the object's own
};

const MotionRule& RuleOf(Motion motion) {
  static constexpr MotionRule kRules[kMotionCount] = {
      {"moves left", -1, 0, 1, 1}, {"moves right", 1, 0, 1, 1},  {"moves up", 0, -1, 1, 1},
      {"moves down", 0, 1, 1, 1},  {"stands still", 0, 0, 1, 1}, {"grows", 0, 0, 0.6, 1.5},
      {"shrinks", 0, 0, 1.5, 0.6}};
  return kRules[static_cast<int>(motion)];
}

bool Travels(Motion motion) { return motion < Motion::kStill; }

// Where one mover is in each frame; nothing when it would leave the picture.
absl::optional<std::vector<Object>> SamplePath(const Mover& mover, Random* random) {
  const MotionRule& rule = RuleOf(mover.motion);
  const double way = random->Uniform(18, 30), drift = random->Uniform(-2, 2);
  const double radius = random->Uniform(6.0, 8.0);
  Object start;
  start.x = random->Uniform(8, kSceneSize - 8);
  start.y = random->Uniform(8, kSceneSize - 8);
  start.angle = random->Uniform(-0.2, 0.2);
  std::vector<Object> path;
  for (int f = 0; f < kFrameCount; ++f) {
    const double t = f / (kFrameCount - 1.0);
    Object object = start;
    // The drift is at right angles to the direction; things that stay do not drift.
    object.x += t * (rule.dx * way + rule.dy * drift);
    object.y += t * (rule.dy * way + rule.dx * drift);
    object.radius = radius * (rule.from + t * (rule.to - rule.from));
    const Box box = BoundingBox(mover.shape, object);
    if (box.x0 < 1 || box.y0 < 1 || box.x1 > kSceneSize - 1 || box.y1 > kSceneSize - 1) {
      return absl::nullopt;
    }
    path.push_back(object);
  }
  return path;
}

bool Collide(const std::vector<Mover>& movers, const std::vector<std::vector<Object>>& frames) {
  return std::any_of(frames.begin(), frames.end(), [&](const std::vector<Object>& frame) {
    return frame.size() == 2 && Overlap(BoundingBox(movers[0].shape, frame[0]),
                                        BoundingBox(movers[1].shape, frame[1]), 1.0);
  });
}

absl::optional<std::vector<std::vector<Object>>> SampleFrames(const std::vector<Mover>& movers,
                                                              Random* random) {
  std::vector<std::vector<Object>> frames(kFrameCount);
  for (size_t m = 0; m < movers.size(); ++m) {
    auto path = SamplePath(movers[m], random);
    if (!path) return absl::nullopt;
    for (int f = 0; f < kFrameCount; ++f) {
      (*path)[f].group = static_cast<int>(m);
      frames[f].push_back((*path)[f]);
    }
  }
  if (Collide(movers, frames)) return absl::nullopt;
  return frames;
}

std::string Direction(Motion motion) {
  static constexpr const char* kWords[] = {"left", "right", "up", "down"};
  return kWords[static_cast<int>(motion)];
}

// "moves left" -> "move left".
std::string Infinitive(const std::string& phrase) {
  std::string verb = phrase;
  return verb.erase(std::min(verb.find(' '), verb.size()) - 1, 1);
}

}  // namespace

std::string MotionPhrase(Motion motion) { return RuleOf(motion).phrase; }

std::vector<Mover> SampleMovers(Random* random) {
  const int colors = static_cast<int>(Colors().words.size());
  const auto sample = [&] {
    // Travelling is what videos are for: four directions of seven motions, and weighted up.
    const int motion = random->PickWeighted({3, 3, 3, 3, 2, 1.5, 1.5});
    return Mover{random->Below(colors), static_cast<Shape>(random->Below(kShapeCount)),
                 static_cast<Motion>(motion)};
  };
  std::vector<Mover> movers = {sample()};
  if (random->Chance(0.4)) {
    Mover second = sample();
    while (second.shape == movers[0].shape || second.color == movers[0].color) second = sample();
    movers.push_back(second);
  }
  std::sort(movers.begin(), movers.end(),
            [](const Mover& a, const Mover& b) { return a.shape < b.shape; });
  return movers;
}

MovingScene SampleMovingScene(Random* random) {
  MovingScene scene;
  scene.movers = SampleMovers(random);
  while (true) {
    for (int tries = 0; tries < 200; ++tries) {
      if (auto frames = SampleFrames(scene.movers, random)) {
        scene.frames = *std::move(frames);
        return scene;
      }
    }
    scene.movers = SampleMovers(random);
  }
}

std::string MovingCaption(const std::vector<Mover>& movers) {
  std::string caption;
  for (const Mover& mover : movers) {
    if (!caption.empty()) caption += " and ";
    const std::string thing =
        absl::StrCat(Colors().words[mover.color], " ", ShapeName(mover.shape));
    absl::StrAppend(&caption, WithArticle(thing), " ", MotionPhrase(mover.motion));
  }
  return caption;
}

std::vector<Question> AskAboutMotion(const std::vector<Mover>& movers, int most, Random* random) {
  std::vector<Question> questions;
  const Mover& mover = random->Pick(movers);
  const std::string& shape = ShapeName(mover.shape);
  const std::string phrase = MotionPhrase(mover.motion);
  if (Travels(mover.motion)) {
    questions.push_back({absl::StrCat("which way does the ", shape, " move?"),
                         Direction(mover.motion), "direction"});
  } else {
    questions.push_back({absl::StrCat("what does the ", shape, " do?"), phrase, "direction"});
  }
  questions.push_back(
      {absl::StrCat("what color is the ", shape, "?"), Colors().words[mover.color], "color"});
  if (movers.size() == 1 || movers[0].motion != movers[1].motion) {
    questions.push_back({absl::StrCat("which shape ", phrase, "?"), shape, "shape"});
  }
  const bool yes = random->Chance(0.5);
  Motion asked = mover.motion;
  while (!yes && asked == mover.motion) asked = static_cast<Motion>(random->Below(kMotionCount));
  questions.push_back({absl::StrCat("does the ", shape, " ", Infinitive(MotionPhrase(asked)), "?"),
                       yes ? "yes" : "no", "yesno"});
  random->Shuffle(&questions);
  if (static_cast<int>(questions.size()) > most) questions.resize(most);
  return questions;
}

std::vector<RgbImage> RenderFrames(const MovingScene& scene, Random* random) {
  std::vector<Rgb> colors;
  for (const Mover& mover : scene.movers) colors.push_back(JitteredColor(mover.color, random));
  // One background for all frames: what changes is what moves.
  const RgbImage background = DarkBackground(Colors().look.darkest, random);
  std::vector<RgbImage> images;
  for (const std::vector<Object>& frame : scene.frames) {
    RgbImage image = background;
    for (const Object& object : frame) {
      Paint(Coverage(scene.movers[object.group].shape, object), colors[object.group], &image);
    }
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace unival::world
