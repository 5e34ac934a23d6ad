// Scenes, sentences and sounds: the texts describe what is in the picture or sound.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "examples/world/description.h"
#include "examples/world/lexicon.h"
#include "examples/world/motion.h"
#include "examples/world/questions.h"
#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/sentences.h"
#include "examples/world/sound.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace unival::world {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr int kSamples = 400;

Scene SceneOf(const Attribute& attribute, Split split, int index) {
  Random random(SampleSeed(5, attribute.name, split, index));
  return SampleScene(attribute, split, &random);
}

// The number a noun phrase begins with.
int CountInPhrase(const std::string& phrase) {
  const std::string first = std::vector<std::string>(absl::StrSplit(phrase, ' '))[0];
  if (first == "a" || first == "an") return 1;
  const auto& digits = DigitWords();
  return static_cast<int>(std::find(digits.begin(), digits.end(), first) - digits.begin());
}

TEST(RandomTest, SeedsOfDifferentSplitsAndIndicesNeverMeet) {
  std::set<uint64_t> seeds;
  for (Split split : {Split::kTrain, Split::kEval, Split::kHeldOut}) {
    for (int i = 0; i < 2000; ++i) seeds.insert(SampleSeed(1, "image", split, i));
  }
  EXPECT_EQ(seeds.size(), 6000u);
}

TEST(RandomTest, NumbersStayInTheirRangesAndFillThem) {
  Random random(3);
  std::set<int> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.Between(-2, 2));
    const double real = random.Uniform(1.5, 2.5);
    EXPECT_GE(real, 1.5);
    EXPECT_LT(real, 2.5);
  }
  EXPECT_THAT(seen, ElementsAre(-2, -1, 0, 1, 2));
}

TEST(GrammarTest, CaptionsReadAsEnglish) {
  Description scene;
  scene.attribute = &Colors();
  scene.groups = {{2, 0, Shape::kCross, false}, {1, 5, Shape::kStar, false}};
  EXPECT_EQ(Caption(scene), "two red crosses and an orange star");
  scene.groups = {{1, 2, Shape::kSquare, true}};
  EXPECT_EQ(Caption(scene), "a large blue square");
  scene.attribute = &Distances();
  scene.groups = {{2, 0, Shape::kCircle, false}, {1, 2, Shape::kSquare, false}};
  EXPECT_EQ(Caption(scene), "two near circles and a far square");
}

TEST(GrammarTest, CaptionCountsEqualTheShapesPlaced) {
  for (int i = 0; i < kSamples; ++i) {
    const Scene scene = SceneOf(Colors(), Split::kTrain, i);
    int said = 0;
    for (absl::string_view part : absl::StrSplit(Caption(scene.description), " and ")) {
      said += CountInPhrase(std::string(part));
    }
    EXPECT_EQ(said, static_cast<int>(scene.objects.size())) << Caption(scene.description);
    EXPECT_LE(said, 4);
  }
}

TEST(GrammarTest, CaptionsOfGroupsDoNotDependOnTheOrderTheyWereDrawnIn) {
  for (int i = 0; i < kSamples; ++i) {
    const Description scene = SceneOf(Colors(), Split::kTrain, i).description;
    if (scene.groups.size() < 2) continue;
    EXPECT_GE(scene.groups[0].count, scene.groups[1].count);
    if (scene.groups[0].count == scene.groups[1].count) {
      EXPECT_LE(scene.groups[0].shape, scene.groups[1].shape);
    }
  }
}

TEST(SceneTest, BoxesAreTightAroundWhatIsRendered) {
  for (int i = 0; i < kSamples; ++i) {
    const Scene scene = SceneOf(Colors(), Split::kTrain, i);
    const Object& object = scene.objects[0];
    const Shape shape = scene.description.groups[object.group].shape;
    const std::vector<float> coverage = Coverage(shape, object);
    Box seen{64, 64, 0, 0};
    for (int y = 0; y < kSceneSize; ++y) {
      for (int x = 0; x < kSceneSize; ++x) {
        if (coverage[y * kSceneSize + x] <= 0.25f) continue;
        seen = {std::min<double>(seen.x0, x), std::min<double>(seen.y0, y),
                std::max<double>(seen.x1, x + 1), std::max<double>(seen.y1, y + 1)};
      }
    }
    const Box box = BoundingBox(shape, object);
    const std::string what = absl::StrCat(ShapeName(shape), " of scene ", i);
    // Sharp tips (stars, triangles) cover little of their last pixel.
    EXPECT_NEAR(box.x0, seen.x0, 1.6) << what;
    EXPECT_NEAR(box.y0, seen.y0, 1.6) << what;
    EXPECT_NEAR(box.x1, seen.x1, 1.6) << what;
    EXPECT_NEAR(box.y1, seen.y1, 1.6) << what;
  }
}

TEST(SceneTest, ShapesStayInsideThePictureAndApart) {
  for (int i = 0; i < kSamples; ++i) {
    const Scene scene = SceneOf(Colors(), Split::kTrain, i);
    std::vector<Box> boxes;
    for (const Object& object : scene.objects) {
      boxes.push_back(BoundingBox(scene.description.groups[object.group].shape, object));
      EXPECT_GE(boxes.back().x0, 0);
      EXPECT_GE(boxes.back().y0, 0);
      EXPECT_LE(boxes.back().x1, kSceneSize);
      EXPECT_LE(boxes.back().y1, kSceneSize);
    }
    for (size_t a = 0; a < boxes.size(); ++a) {
      for (size_t b = 0; b < a; ++b) EXPECT_FALSE(Overlap(boxes[a], boxes[b], 0));
    }
  }
}

TEST(SceneTest, TheSameSeedRendersTheSamePixels) {
  Random first(9), second(9), other(10);
  const auto render = [](Random* random) {
    return RenderRgb(SampleScene(Colors(), Split::kTrain, random), random).pixels;
  };
  const std::vector<uint8_t> pixels = render(&first);
  EXPECT_EQ(pixels, render(&second));
  EXPECT_NE(pixels, render(&other));
}

TEST(DepthTest, TrainAndEvalNeverShowOrMentionHeldOutCombinations) {
  for (Split split : {Split::kTrain, Split::kEval}) {
    for (int i = 0; i < kSamples; ++i) {
      const Scene scene = SceneOf(Distances(), split, i);
      Random random(i);
      std::string said = Caption(scene.description);
      for (const Question& q : AskAboutScene(scene, 6, false, &random)) said += " " + q.question;
      for (const char* held_out : {"near star", "middle triangle", "far cross"}) {
        EXPECT_FALSE(absl::StrContains(said, held_out)) << said;
      }
    }
  }
}

TEST(DepthTest, TheHeldOutSplitShowsThemInEveryScene) {
  std::set<std::string> seen;
  for (int i = 0; i < kSamples; ++i) {
    const Scene scene = SceneOf(Distances(), Split::kHeldOut, i);
    EXPECT_TRUE(HasHeldOut(scene.description)) << Caption(scene.description);
    for (const Group& group : scene.description.groups) {
      if (IsHeldOut(Distances(), group.shape, group.attribute)) {
        seen.insert(Member(Distances(), group));
      }
    }
  }
  EXPECT_THAT(seen, ElementsAre("far cross", "middle triangle", "near star"));
}

TEST(DepthTest, ValuesAreMetresOfTheirWordsAndTheBackgroundIsBehind) {
  const std::vector<std::pair<int, int>> ranges = {{740, 1260}, {2130, 2870}, {3970, 5030}};
  for (int i = 0; i < kSamples / 4; ++i) {
    Random random(SampleSeed(5, "distance", Split::kTrain, i));
    const Scene scene = SampleScene(Distances(), Split::kTrain, &random);
    const DepthImage depth = RenderDepth(scene, &random);
    for (const Object& object : scene.objects) {
      const Group& group = scene.description.groups[object.group];
      const int centre =
          depth.millimetres[static_cast<int>(object.y) * kSceneSize + static_cast<int>(object.x)];
      EXPECT_GE(centre, ranges[group.attribute].first) << Caption(scene.description);
      EXPECT_LE(centre, ranges[group.attribute].second) << Caption(scene.description);
    }
    EXPECT_GE(*std::max_element(depth.millimetres.begin(), depth.millimetres.end()), 6000);
    EXPECT_LE(*std::max_element(depth.millimetres.begin(), depth.millimetres.end()), 8100);
  }
}

TEST(DepthTest, TheColouredMapIsWarmNearAndColdFar) {
  const RgbImage image = ColorizeDepth({2, 1, {1000, 7000}});
  ASSERT_EQ(image.pixels.size(), 6u);
  EXPECT_GT(image.pixels[0], image.pixels[2]);
  EXPECT_LT(image.pixels[3], image.pixels[5]);
}

TEST(QuestionsTest, CountAndYesNoAnswersAgreeWithTheScene) {
  int yes = 0, no = 0;
  std::set<std::string> kinds;
  for (int i = 0; i < 4 * kSamples; ++i) {
    const Scene scene = SceneOf(Colors(), Split::kTrain, i);
    const std::string caption = Caption(scene.description);
    Random random(i);
    for (const Question& q : AskAboutScene(scene, 6, false, &random)) {
      kinds.insert(q.kind);
      if (q.question == "how many shapes are there?") {
        EXPECT_EQ(q.answer, NumberWord(static_cast<int>(scene.objects.size())));
      }
      if (q.kind != "yesno") continue;
      (q.answer == "yes" ? yes : no) += 1;
      const std::vector<std::string> words =
          absl::StrSplit(q.question.substr(0, q.question.size() - 1), ' ');
      const std::string thing = absl::StrCat(words[3], " ", words[4]);
      EXPECT_EQ(absl::StrContains(caption, thing), q.answer == "yes") << caption << q.question;
    }
  }
  EXPECT_THAT(kinds, ElementsAre("color", "count", "position", "shape", "size", "yesno"));
  EXPECT_NEAR(yes, no, 0.15 * (yes + no));
}

TEST(QuestionsTest, PositionsAgreeWithWhereTheNamedShapesAre) {
  Scene scene;
  scene.description.attribute = &Colors();
  scene.description.groups = {{1, 0, Shape::kCircle, false}, {1, 2, Shape::kSquare, false}};
  scene.objects = {{0, 12, 14, 7, 0}, {1, 50, 20, 7, 0}};
  std::set<std::string> asked;
  for (int i = 0; i < 200; ++i) {
    Random random(i);
    for (const Question& q : AskAboutScene(scene, 6, false, &random)) {
      if (q.kind == "position") asked.insert(absl::StrCat(q.question, " ", q.answer));
    }
  }
  EXPECT_THAT(asked,
              ElementsAre("is the circle left or right of the square? left",
                          "is the square left or right of the circle? right",
                          "where is the circle? top left", "where is the square? top right"));
}

TEST(QuestionsTest, EachReferentNamesExactlyOneObject) {
  for (int i = 0; i < kSamples; ++i) {
    const Scene scene = SceneOf(Colors(), Split::kTrain, i);
    Random random(i);
    for (const Referent& referent : Referents(scene, &random)) {
      int matches = 0;
      for (const Object& object : scene.objects) {
        const Group& group = scene.description.groups[object.group];
        const std::string name =
            absl::StrCat("the ", Colors().words[group.attribute], " ", ShapeName(group.shape));
        matches +=
            referent.text == name || referent.text == absl::StrCat("the ", ShapeName(group.shape));
      }
      EXPECT_EQ(matches, 1) << referent.text << " in " << Caption(scene.description);
    }
  }
}

TEST(MotionTest, ShapesMoveTheWayTheCaptionSays) {
  for (int i = 0; i < kSamples; ++i) {
    Random random(i);
    const MovingScene scene = SampleMovingScene(&random);
    ASSERT_EQ(scene.frames.size(), static_cast<size_t>(kFrameCount));
    for (size_t m = 0; m < scene.movers.size(); ++m) {
      const Object &from = scene.frames.front()[m], &to = scene.frames.back()[m];
      const Motion motion = scene.movers[m].motion;
      EXPECT_EQ(to.x < from.x - 10, motion == Motion::kLeft) << MovingCaption(scene.movers);
      EXPECT_EQ(to.x > from.x + 10, motion == Motion::kRight) << MovingCaption(scene.movers);
      EXPECT_EQ(to.y < from.y - 10, motion == Motion::kUp) << MovingCaption(scene.movers);
      EXPECT_EQ(to.y > from.y + 10, motion == Motion::kDown) << MovingCaption(scene.movers);
      EXPECT_EQ(to.radius > from.radius + 2, motion == Motion::kGrow);
      EXPECT_EQ(to.radius < from.radius - 2, motion == Motion::kShrink);
    }
  }
}

TEST(MotionTest, CaptionsReadAsEnglish) {
  EXPECT_EQ(MovingCaption({{0, Shape::kCircle, Motion::kLeft}, {5, Shape::kStar, Motion::kStill}}),
            "a red circle moves left and an orange star stands still");
}

TEST(SoundTest, BeepsCanBeCountedInTheSamples) {
  for (int i = 0; i < 100; ++i) {
    Random random(i);
    const Sound sound = SampleSound(&random);
    const std::vector<float> samples = RenderSound(sound, &random);
    ASSERT_EQ(samples.size(), static_cast<size_t>(kSoundRateHz));
    // Count rises of the level over 10 ms windows.
    int rises = 0;
    bool loud = false;
    for (size_t at = 0; at + 80 <= samples.size(); at += 80) {
      float peak = 0;
      for (size_t k = at; k < at + 80; ++k) peak = std::max(peak, std::abs(samples[k]));
      EXPECT_LE(peak, 1.0f);
      rises += !loud && peak > 0.05f;
      loud = peak > 0.05f;
    }
    EXPECT_EQ(rises, sound.count) << SoundCaption(sound);
  }
}

TEST(SoundTest, CaptionsReadAsEnglish) {
  EXPECT_EQ(SoundCaption({SoundKind::kBeeps, 2, true}), "two high beeps");
  EXPECT_EQ(SoundCaption({SoundKind::kRising, 1, false}), "a rising tone");
  EXPECT_EQ(SoundCaption({SoundKind::kNoise, 3, false}), "three noise bursts");
}

TEST(LexiconTest, HoldsEveryWordOfEverySentence) {
  const std::set<std::string> words(AllWords().begin(), AllWords().end());
  for (int i = 0; i < 3000; ++i) {
    Random random(i);
    const TextQuestion asked = SampleTextQuestion(TextMix::kFull, &random);
    std::string text = absl::StrCat(SampleSentence(TextMix::kFull, &random).text, " ", asked.text,
                                    " ", asked.question.question, " ", asked.question.answer);
    for (absl::string_view word :
         absl::StrSplit(text, absl::ByAnyChar(" ,?."), absl::SkipEmpty())) {
      EXPECT_EQ(words.count(std::string(word)), 1u) << word << " in: " << text;
    }
  }
}

TEST(LexiconTest, CoversWhatLaterTasksName) {
  EXPECT_THAT(AllWords(), IsSupersetOf(PhotoClasses()));
  EXPECT_THAT(AllWords(), IsSupersetOf(DigitWords()));
  EXPECT_THAT(AllWords(), IsSupersetOf(Distances().words));
  EXPECT_THAT(AllWords(), IsSupersetOf({"digit", "word", "photo", "beeps", "rising", "left"}));
  EXPECT_GE(EverydayWords().size(), 300u);
  EXPECT_EQ(std::set<std::string>(AllWords().begin(), AllWords().end()).size(), AllWords().size());
}

TEST(LexiconTest, SpeechLeavesOutDigitsAndWhatSoundsLikeThem) {
  for (const std::string& digit : DigitWords()) EXPECT_THAT(SpokenWords(), Not(Contains(digit)));
  for (const char* word : {"to", "for", "won", "ate", "tree"}) {
    EXPECT_THAT(SpokenWords(), Not(Contains(word)));
  }
  EXPECT_GE(SpokenWords().size(), 300u);
}

TEST(SentencesTest, ThePlainMixHoldsNoLaterFrame) {
  std::set<std::string> full_kinds;
  for (int i = 0; i < 3000; ++i) {
    Random random(i);
    full_kinds.insert(SampleSentence(TextMix::kFull, &random).kind);
    const Sentence plain = SampleSentence(TextMix::kPlain, &random);
    EXPECT_THAT(std::vector<std::string>({"words", "picture", "video", "sound"}),
                Contains(plain.kind));
    EXPECT_FALSE(absl::StrContains(plain.text, "the digit is")) << plain.text;
    const std::string question = SampleTextQuestion(TextMix::kPlain, &random).question.question;
    EXPECT_FALSE(absl::StrContains(question, "how far")) << question;
  }
  EXPECT_THAT(full_kinds, IsSupersetOf({"depth", "digit", "word", "photo", "words"}));
}

}  // namespace
}  // namespace unival::world
