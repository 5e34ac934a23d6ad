// unival: unseen_answers.h
//
// Test answers that training never shows. What a classifier or a trained connection makes of their
// features says nothing: no right answer could be learned.
//
//   UNIVAL_ASSIGN_OR_RETURN(const UnseenAnswers unseen, CountUnseenAnswers(*task, *train, *test));
//   if (unseen.records > 0) std::cout << UnseenText(unseen) << "\n";
#ifndef UNIVAL_TRAINING_EVALUATION_UNSEEN_ANSWERS_H_
#define UNIVAL_TRAINING_EVALUATION_UNSEEN_ANSWERS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"

namespace unival {

struct UnseenAnswers {
  int64_t records = 0;  // of the test, whose answers no training record has
  int64_t asked = 0;    // of the test, with an answer
  std::string example;  // the first of these answers
};

// Reads both sources whole, without their media. Nothing is counted where answers are no texts
// (boxes, codes), no training record has one, or the training source has more than `most` records,
// which would take long. Errors: those of reading a record.
absl::StatusOr<UnseenAnswers> CountUnseenAnswers(const Task& task, const Source& train,
                                                 const Source& test, int64_t most = 200000);

// "12 of 40 test answers never occur in training, such as \"seven\"".
std::string UnseenText(const UnseenAnswers& unseen);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_UNSEEN_ANSWERS_H_
