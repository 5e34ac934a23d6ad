// unival: sentences.h - what is done to plain English sentences to make training texts of them.
//
//   Random random(7);
//   std::string phrase = Phrase(random, {"many", "small", "birds", "sing"}, 2);  // "small birds"
//   ReadingQuestion asked = AskAbout(random, {"many", "small", "birds"});
//   // {"which word comes after \"many\"?", "small"}
//
// Pure but for the generator that is handed in; thread-safe for different generators.
#ifndef UNIVAL_EXAMPLES_ENGLISH_SENTENCES_H_
#define UNIVAL_EXAMPLES_ENGLISH_SENTENCES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "examples/world/random.h"

namespace unival::english {

using Words = std::vector<std::string>;

// The parts between blanks.
Words SplitWords(absl::string_view sentence);

// As a label of a sensor is often written: a small first letter (but "I" and names of capitals
// only), no full stop at the end.
std::string Plain(absl::string_view sentence);

// `count` words in a row, at least one, without punctuation at their ends.
std::string Phrase(world::Random& random, const Words& words, int count);

// A sentence of a source as one text to be said: as it is, plain, a phrase of two to eight words,
// or two phrases with a comma between them.
std::string Varied(world::Random& random, absl::string_view sentence, absl::string_view other);

// `words` in another order, each kept as it is.
std::string Shuffled(world::Random& random, Words words);

// A made word: the beginning of one and the end of another.
std::string MadeWord(world::Random& random, const Words& lexicon);

struct ReadingQuestion {
  std::string question;
  std::string answer;
};

// A question that the words alone answer: the first or last word, the word beside another, whether
// a word of `lexicon` stands there, how many words there are. `words`: 2 to 10.
ReadingQuestion AskAbout(world::Random& random, const Words& words, const Words& lexicon);

}  // namespace unival::english

#endif  // UNIVAL_EXAMPLES_ENGLISH_SENTENCES_H_
