// unival: constant_answer.h
//
// What always giving the same answer would score: the figure beside which an accuracy is to be
// read.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto constant, ScoreConstantAnswer(*task, *source));
//   if (constant) constant->metrics["accuracy"]   // 0.616: always "zero"
#ifndef UNIVAL_TRAINING_EVALUATION_CONSTANT_ANSWER_H_
#define UNIVAL_TRAINING_EVALUATION_CONSTANT_ANSWER_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"

namespace unival {

struct ConstantAnswer {
  std::string text;  // the records' most frequent answer
  // Of the task, if every record were answered with it; those of a kind, "accuracy/kind=count", if
  // every record of that kind were answered with the most frequent answer of the kind.
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> text_of_kind;  // by the value of the records' column `kind`

  // The answer that `metrics` are of, under this name.
  const std::string& TextOf(const std::string& metric) const;
};

// Scores the most frequent answer as the answer to every record. Absent where answers are no texts
// (boxes, codes) or no record has one. A record whose answer cannot be made counts as wrong. Media
// are not read.
absl::StatusOr<absl::optional<ConstantAnswer>> ScoreConstantAnswer(const Task& task,
                                                                   const Source& source);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_CONSTANT_ANSWER_H_
