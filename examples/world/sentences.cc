#include "examples/world/sentences.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "examples/world/lexicon.h"
#include "examples/world/motion.h"
#include "examples/world/sound.h"
#include "sdk/base/english.h"

namespace unival::world {
namespace {

// Whether "near star", "near stars", "middle triangle", ... stand in the text.
bool NamesHeldOut(const std::vector<std::string>& words) {
  const Attribute& distances = Distances();
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    for (int d = 0; d < static_cast<int>(distances.words.size()); ++d) {
      if (words[i] != distances.words[d]) continue;
      for (int s = 0; s < kShapeCount; ++s) {
        const Shape shape = static_cast<Shape>(s);
        if (!IsHeldOut(distances, shape, d)) continue;
        if (words[i + 1] == ShapeName(shape) || words[i + 1] == ShapePlural(shape)) return true;
      }
    }
  }
  return false;
}

Sentence LaterFrame(Random* random) {
  switch (random->PickWeighted({4, 2, 2, 2})) {
    case 0:
      return {Caption(SampleDescription(Distances(), Split::kTrain, random)), "depth"};
    case 1:
      return {absl::StrCat("the digit is ", random->Pick(DigitWords())), "digit"};
    case 2:
      return {absl::StrCat("the word is ", random->Pick(AllWords())), "word"};
    default:
      return {absl::StrCat("a photo of ", WithArticle(random->Pick(PhotoClasses()))), "photo"};
  }
}

}  // namespace

std::string RandomWords(Random* random) {
  while (true) {
    std::vector<std::string> words;
    const int count = random->Between(2, 7);
    for (int i = 0; i < count; ++i) {
      // Words that answers are made of come more often than their share of the lexicon.
      words.push_back(random->Pick(random->Chance(0.4) ? AnswerWords() : AllWords()));
    }
    if (!NamesHeldOut(words)) return absl::StrJoin(words, " ");
  }
}

Sentence SampleSentence(TextMix mix, Random* random) {
  const double later = mix == TextMix::kFull ? 8 : 0;
  switch (random->PickWeighted({8, 3, 1.5, 1.5, later})) {
    case 0:
      return {RandomWords(random), "words"};
    case 1:
      return {Caption(SampleDescription(Colors(), random)), "picture"};
    case 2:
      return {MovingCaption(SampleMovers(random)), "video"};
    case 3:
      return {SoundCaption(SampleSound(random)), "sound"};
    default:
      return LaterFrame(random);
  }
}

TextQuestion SampleTextQuestion(TextMix mix, Random* random) {
  const double depth = mix == TextMix::kFull ? 3 : 0;
  const int choice = random->PickWeighted({4, 1, 1, depth});
  if (choice == 1) {
    const std::vector<Mover> movers = SampleMovers(random);
    return {MovingCaption(movers), AskAboutMotion(movers, 1, random).front()};
  }
  if (choice == 2) {
    const Sound sound = SampleSound(random);
    return {SoundCaption(sound), AskAboutSound(sound, 1, random).front()};
  }
  while (true) {
    const Description description =
        SampleDescription(choice == 0 ? Colors() : Distances(), Split::kTrain, random);
    auto questions = AskAboutDescription(description, 1, /*name_held_out=*/false, random);
    // A caption does not say "small", so nothing in the text answers a question about size with it.
    if (questions.empty() || questions[0].answer == "small") continue;
    return {Caption(description), std::move(questions[0])};
  }
}

}  // namespace unival::world
