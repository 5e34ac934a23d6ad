// unival: english.h
//
// Training texts from a folder of plain English sentences: JSONL files NAME_train.jsonl and
// NAME_dev.jsonl with columns `text`, and where a file has them `question` and `answer`, `word` and
// `kind` (the next wider word) or `label`. Sub-folders are not read.
//
//   EnglishOptions options{"texts", "data"};
//   absl::Status made = GenerateEnglish(options);
//
// Layout: OUT/english/SPLIT/ (train, eval) with one file per task:
//   copy.jsonl     text             sentences as they are, plain, parts of them, two parts joined
//   words.jsonl    text             unrelated words, some of them made up
//   order.jsonl    given, text      the words of a short sentence in another order, and in theirs
//   reading.jsonl  text, question, answer   questions that the words of the text answer
//   answer.jsonl   question, answer         kinds of things, words for definitions, short facts
// and OUT/english/corpus.txt, what a tokenizer is to be trained on: a text a line, each with the
// blank in front that prompts and targets have.
#ifndef UNIVAL_EXAMPLES_ENGLISH_ENGLISH_H_
#define UNIVAL_EXAMPLES_ENGLISH_ENGLISH_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace unival::english {

struct EnglishOptions {
  std::string text_dir;
  std::string output_dir;
  int64_t max_words = 20;     // longer sentences are left out
  int64_t count = 60000;      // training records of words, order and reading
  int64_t eval_count = 1000;  // records of every task for evaluation
  uint64_t seed = 1;
};

// The same folder and options give the same bytes. Errors: InvalidArgument (an option, a record
// that is no JSON object), NotFound (no such folder, no sentence), Unavailable (cannot write).
absl::Status GenerateEnglish(const EnglishOptions& options);

}  // namespace unival::english

#endif  // UNIVAL_EXAMPLES_ENGLISH_ENGLISH_H_
