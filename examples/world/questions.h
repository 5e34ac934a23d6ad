// unival: questions.h
//
// Questions about a scene with one-word (or two-word) answers, all true by construction.
//
//   for (const Question& q : AskAboutScene(scene, /*most=*/3, /*name_held_out=*/false, &random))
//     Print(q.kind, q.question, q.answer);            // count  how many circles are there?  two
//
// Kinds: "count", "color" or "distance", "shape", "yesno", "size", "position". A sample gives each
// kind at most once. Without `name_held_out` no question mentions a held-out combination, not even
// to deny it.
#ifndef UNIVAL_EXAMPLES_WORLD_QUESTIONS_H_
#define UNIVAL_EXAMPLES_WORLD_QUESTIONS_H_

#include <string>
#include <vector>

#include "examples/world/description.h"
#include "examples/world/random.h"
#include "examples/world/scene.h"

namespace unival::world {

struct Question {
  std::string question;
  std::string answer;
  std::string kind;
};

// What the caption alone answers: everything but position.
std::vector<Question> AskAboutDescription(const Description& description, int most,
                                          bool name_held_out, Random* random);
// The same and where things are.
std::vector<Question> AskAboutScene(const Scene& scene, int most, bool name_held_out,
                                    Random* random);

// Phrases that single out one object, with its box: "the red circle", or "the circle" when it is
// the only one.
struct Referent {
  int group = 0;  // index into Description::groups
  std::string text;
  Box box;
};
std::vector<Referent> Referents(const Scene& scene, Random* random);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_QUESTIONS_H_
