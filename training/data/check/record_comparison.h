// unival: record_comparison.h
//
// Records that are alike: the same twice in a file, the same question with another answer, and
// media or questions of one file in another one (a leak between what is trained on and what is
// measured).
//
//   RecordComparison comparison({"question"}, {"answer"}, /*closed=*/true);
//   comparison.AddOther(sample_of_train, digests);
//   for (const Likeness& likeness : comparison.Take(sample, digests)) ...
//
// For one thread; holds about 200 bytes a record.
#ifndef UNIVAL_TRAINING_DATA_CHECK_RECORD_COMPARISON_H_
#define UNIVAL_TRAINING_DATA_CHECK_RECORD_COMPARISON_H_

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "sdk/native/task.h"

namespace unival {

struct Likeness {
  std::string kind;    // "duplicate", "contradiction", "leak"
  std::string column;  // of the medium; may be empty
  std::string what, remedy;
};

class RecordComparison {
 public:
  // Columns of the prompt and of the target. `closed`: one question has one right answer.
  RecordComparison(std::vector<std::string> prompt, std::vector<std::string> target, bool closed)
      : prompt_(std::move(prompt)), target_(std::move(target)), closed_(closed) {}

  // A record of another file. `digests`: media column -> hash of the bytes, empty where they cannot
  // be read.
  void AddOther(const TaskSample& sample, const std::map<std::string, std::string>& digests);
  // Compares the next record of the file with the records before it and those of AddOther, and
  // remembers it. Returns what is alike; empty: nothing.
  std::vector<Likeness> Take(const TaskSample& sample,
                             const std::map<std::string, std::string>& digests);

 private:
  using Places = std::unordered_map<std::string, std::string>;  // hash -> the first record
  std::string InputOf(const TaskSample& sample,
                      const std::map<std::string, std::string>& digests) const;

  const std::vector<std::string> prompt_, target_;
  const bool closed_;
  Places seen_, asked_, others_;
};

// A column's value as text; of media nothing.
std::string ValueText(const FieldValue& value);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_RECORD_COMPARISON_H_
