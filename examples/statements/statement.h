// unival: statement.h
//
// Statements about pictures of three boxes, as words together with what they mean.
//
//   world::Random random(7);
//   Statement statement = SampleStatement(/*towers=*/true, &random);
//   statement.words;            // "there are two towers with a black block at the top"
//   statement.holds(picture);
//
// They are made by rules from what people say of such pictures: numbers without "exactly" and "at
// least" are exact, "on" and "above" mean the next block, a box "with two items" has no third.
#ifndef UNIVAL_EXAMPLES_STATEMENTS_STATEMENT_H_
#define UNIVAL_EXAMPLES_STATEMENTS_STATEMENT_H_

#include <functional>
#include <string>

#include "examples/statements/picture.h"
#include "examples/world/random.h"

namespace unival::statements {

struct Statement {
  std::string words;
  std::function<bool(const Picture&)> holds;
};

// What may be said of one box or tower, behind "with" or "has".
struct Clause {
  std::string words;
  std::function<bool(const Box&)> holds;
};

Clause SampleClause(bool towers, world::Random* random);

Statement SampleStatement(bool towers, world::Random* random);

}  // namespace unival::statements

#endif  // UNIVAL_EXAMPLES_STATEMENTS_STATEMENT_H_
