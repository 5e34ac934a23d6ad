#include "examples/world/lexicon.h"

#include <set>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "examples/world/description.h"

namespace unival::world {
namespace {

// A list that lives for ever, from words between spaces and line ends.
const std::vector<std::string>* Words(absl::string_view text) {
  return new std::vector<std::string>(
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty()));
}

}  // namespace

const std::vector<std::string>& DigitWords() {
  static const auto* words = Words("zero one two three four five six seven eight nine");
  return *words;
}

const std::vector<std::string>& PhotoClasses() {
  static const auto* words = Words("airplane automobile bird cat deer dog frog horse ship truck");
  return *words;
}

const std::vector<std::string>& DirectionWords() {
  static const auto* words = Words(
      "left right up down above below top bottom center forward backward north south east west "
      "inside outside beside between behind front");
  return *words;
}

const std::vector<std::string>& SoundWords() {
  static const auto* words = Words(
      "beep beeps tone tones chord chords noise burst bursts high low rising falling steady loud "
      "quiet short long silence sound whistle click buzz hum rumble hiss");
  return *words;
}

const std::vector<std::string>& GrammarWords() {
  static const auto* words = Words(
      "a an the and or of in on at is are was were there here how many what which where who why "
      "when way does do did not yes no it this that these those with from to for by as be has have "
      "had he she they we you i my your his her its our their if then than so but can will would "
      "could should may must color colors shape shapes size distance small large moves move moving "
      "stands still grows grow shrinks shrink closer digit word number photo picture video image "
      "depth audio "
      "describe show say said spoken");
  return *words;
}

const std::vector<std::string>& EverydayWords() {
  static const auto* words = Words(R"(
apple arm baby back bag ball banana bank basket bath bear bed bee bell bench bicycle block board
boat body book boot bottle bowl box boy branch bread breakfast brick bridge brother brush bucket
building bus butter button cake camera candle car card carpet carrot castle chain chair cheese
cherry chicken child church circus city clock cloud coat coffee coin comb cook corn corner cotton
country cousin cow cup curtain dance daughter desk dinner doctor door dragon drawer dream dress
drum duck dust ear earth egg elbow engine evening eye face family farm farmer father feather fence
field finger fire fish flag floor flower food foot forest fork fox friend fruit game garden gate
ghost gift giraffe girl glass glove goat gold grape grass ground guitar hair hammer hand hat head
heart hill holiday honey hospital hotel house ice insect island jacket jar jelly juice jungle key
king kitchen kite kitten knee knife ladder lake lamp leaf leg lemon letter library light lion lip
lock lunch machine magic map market match meal meat metal milk minute mirror money monkey month moon
morning mother mountain mouse mouth music nail name neck needle nest night nose nurse nut ocean
office onion paint paper parent park party path peach pencil penny people pepper piano pig pillow
pilot pipe plane planet plant plate pocket poem police pond potato present prince puzzle queen
question rabbit radio rain rainbow river road robot rock roof room rope rose ruler sail salad salt
sand sandwich school scissors sea season seed shadow sheep shelf shell shirt shoe shop shoulder
silver sister skirt sky snake snow soap sock sofa soldier song soup spider spoon spring station
stone store storm story street sugar summer sun sweater table tail teacher tent ticket tiger toe
tomato tongue tooth towel tower town toy train tree trouser tunnel turtle uncle umbrella valley
vegetable village violin voice wagon wall water wave weather wheel whale window wing winter wolf
woman wood wool world yard year young zebra
answer arrive ask bake begin bite blow break bring build buy call carry catch choose clean climb
close come cover cry cut dig draw drink drive drop eat empty fall fast feel fill find finish float
fly follow forget give go happy hard heavy hear help hide hold hope hurry hurt jump keep kick kind
laugh learn leave lend lift listen look lose love make meet melt mix need new nice old open pass
pay play point pour pull push put quick rest ride ring run sad save see sell send share sharp shine
shout sing sit sleep slow smell smile smooth soft speak spend stand start stay stop strong swim take
talk teach tell think throw tired touch travel try turn wait wake walk warm wash watch wear wet
white wide wild win wise wish work write wrong
)");
  return *words;
}

const std::vector<std::string>& AllWords() {
  static const auto* all = [] {
    std::set<std::string> words;
    for (const auto* list :
         {&DigitWords(), &PhotoClasses(), &DirectionWords(), &SoundWords(), &GrammarWords(),
          &EverydayWords(), &ShapeNames(), &Colors().words, &Distances().words}) {
      words.insert(list->begin(), list->end());
    }
    for (int i = 0; i < kShapeCount; ++i) words.insert(ShapePlural(static_cast<Shape>(i)));
    return new std::vector<std::string>(words.begin(), words.end());
  }();
  return *all;
}

const std::vector<std::string>& AnswerWords() {
  static const auto* words = [] {
    std::set<std::string> set;
    for (const auto* list :
         {&DigitWords(), &PhotoClasses(), &ShapeNames(), &Colors().words, &Distances().words}) {
      set.insert(list->begin(), list->end());
    }
    for (int i = 0; i < kShapeCount; ++i) set.insert(ShapePlural(static_cast<Shape>(i)));
    return new std::vector<std::string>(set.begin(), set.end());
  }();
  return *words;
}

const std::vector<std::string>& SpokenWords() {
  static const auto* spoken = [] {
    // Digits, what sounds like one ("oh" is read for zero), and close neighbours of a digit's word.
    static const auto* like_digits = Words(
        "won to too for fore ate tree free sex hero knight none oh o fife sever heaven mine a i");
    std::set<std::string> without(like_digits->begin(), like_digits->end());
    without.insert(DigitWords().begin(), DigitWords().end());
    auto* words = new std::vector<std::string>;
    for (const std::string& word : AllWords()) {
      if (without.count(word) == 0) words->push_back(word);
    }
    return words;
  }();
  return *spoken;
}

}  // namespace unival::world
