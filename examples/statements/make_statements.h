// unival: make_statements.h
//
// Data that teaches to judge statements about pictures: every statement with a picture that it is
// true of and one that it is false of, so that its words alone tell nothing; and questions about
// what lies in one box, whose answers name every item.
//
//   StatementOptions options{"data"};
//   absl::Status made = GenerateStatements(options);
//
// Layout: OUT/statements/SPLIT/ (train, eval) with images.tar (PNG), statement.jsonl (image,
// sentence, label: "true" or "false") and describe.jsonl (image, question, answer).
#ifndef UNIVAL_EXAMPLES_STATEMENTS_MAKE_STATEMENTS_H_
#define UNIVAL_EXAMPLES_STATEMENTS_MAKE_STATEMENTS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace unival::statements {

struct StatementOptions {
  std::string output_dir;
  int64_t train_count = 10000;  // statements: two records each
  int64_t eval_count = 500;
  double towers = 0.5;  // share of statements about towers
  uint64_t seed = 1;
  std::function<void(int64_t done, int64_t total)> progress = {};  // of both splits together
};

// The same options give the same bytes. Errors: InvalidArgument (an option), those of
// world::RecordWriter.
absl::Status GenerateStatements(const StatementOptions& options);

}  // namespace unival::statements

#endif  // UNIVAL_EXAMPLES_STATEMENTS_MAKE_STATEMENTS_H_
