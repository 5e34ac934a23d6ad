// unival: lexicon.h
//
// Every word that the world's sentences and the tasks learned later must be able to name.
//
//   for (const std::string& word : AllWords()) corpus << word << '\n';
//   SpokenWords();           // what speech may say: without the digits and what sounds like them
//
// All words are lower-case ASCII. Lists live for ever; thread-safe.
#ifndef UNIVAL_EXAMPLES_WORLD_LEXICON_H_
#define UNIVAL_EXAMPLES_WORLD_LEXICON_H_

#include <string>
#include <vector>

namespace unival::world {

const std::vector<std::string>& DigitWords();      // "zero" ... "nine"
const std::vector<std::string>& PhotoClasses();    // CIFAR-10's: "airplane" ... "truck"
const std::vector<std::string>& DirectionWords();  // "left", "above", ...
const std::vector<std::string>& SoundWords();      // "beep", "rising", ...
const std::vector<std::string>& GrammarWords();    // what holds sentences together
const std::vector<std::string>& EverydayWords();   // about three hundred common words

// All of the above with shapes (singular and plural), colours, sizes and distances; sorted, each
// once.
const std::vector<std::string>& AllWords();

// What answers are made of: digits, photo classes, shapes, colours, distances; sorted.
const std::vector<std::string>& AnswerWords();

// AllWords without digits, words that sound like digits ("to", "for", "ate", "won", ...) and single
// letters; sorted.
const std::vector<std::string>& SpokenWords();

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_LEXICON_H_
