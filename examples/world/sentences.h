// unival: sentences.h
//
// Sentences without media: what the text tasks copy, restore and answer, and what the tokenizer is
// trained on.
//
//   Random random(7);
//   SampleSentence(TextMix::kFull, &random).text;        // "two near circles and a far square"
//   SampleTextQuestion(TextMix::kPlain, &random).text;   // "a red circle and a blue star"
//
// Two mixes, so that a result can be stated with and without sentences shaped like the targets of
// tasks that are learned later (depth captions, "the digit is two", "the word is apple", "a photo
// of a frog"):
//   kFull   random word strings, captions of every kind, and those later frames
//   kPlain  the same words, but later frames never occur: only their single words do
// Held-out combinations of shape and distance occur in neither.
#ifndef UNIVAL_EXAMPLES_WORLD_SENTENCES_H_
#define UNIVAL_EXAMPLES_WORLD_SENTENCES_H_

#include <string>

#include "examples/world/questions.h"
#include "examples/world/random.h"

namespace unival::world {

enum class TextMix { kFull, kPlain };

struct Sentence {
  std::string text;
  // "words", "picture", "video", "sound"; kFull also "depth", "digit", "word", "photo".
  std::string kind;
};

Sentence SampleSentence(TextMix mix, Random* random);

// Two to seven words of the whole lexicon in random order.
std::string RandomWords(Random* random);

// A sentence, a question about it, the answer.
struct TextQuestion {
  std::string text;
  Question question;
};
TextQuestion SampleTextQuestion(TextMix mix, Random* random);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_SENTENCES_H_
