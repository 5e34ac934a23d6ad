// unival: negatives.h
//
// Wrong examples made of right ones, as a template's `negatives` says: half of the records keep
// their text and get the answer "yes", the others get another text and "no".
//
//   const auto negatives = NegativeMaker::Create(proto.negatives(), source);
//   UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, negatives->Judge(*source.Read(7), seed));
//
// Another text is that of another record of the source. With object words it is, in `swap_share` of
// the wrong ones, the record's own text with an object in the place of another. The rules are those
// of the reference (unify_dataset.py, get_negative_caption and get_negative_answer), but a wrong
// text is never the right one: where none is found in a number of draws, the record stays right.
// A record that has the answer column is left as it is.
//
// Every draw follows from the seed, so neither threads nor a resumed run change it.
// Thread-safe. With `same`, Create reads every record once and keeps 8 bytes of each.
#ifndef UNIVAL_TRAINING_DATA_SAMPLE_NEGATIVES_H_
#define UNIVAL_TRAINING_DATA_SAMPLE_NEGATIVES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"
#include "sdk/proto/task.pb.h"
#include "training/data/read/source.h"

namespace unival {

class SeededRandom;

// `sample` with further columns: each of `columns` is a new name -> the column that it copies. A
// column that is not there is not copied.
TaskSample WithColumns(TaskSample sample, const std::map<std::string, std::string>& columns);

class NegativeMaker {
 public:
  // `source` must outlive the maker. `columns`: further names of its columns (WithColumns). Records
  // that cannot be read are never drawn.
  static std::shared_ptr<const NegativeMaker> Create(
      const Negatives& negatives, const Source& source,
      const std::map<std::string, std::string>& columns = {});

  // The record with its answer, and perhaps another text. Errors name record and column.
  absl::StatusOr<TaskSample> Judge(TaskSample sample, uint64_t seed) const;

 private:
  NegativeMaker(const Negatives& negatives, const Source& source,
                const std::map<std::string, std::string>& columns);
  absl::StatusOr<TaskSample> Read(int64_t index) const;
  void ReadGroups();
  std::vector<std::string> ObjectsIn(const std::string& text) const;
  absl::StatusOr<absl::optional<std::string>> WrongText(const TaskSample& sample,
                                                        const std::string& text,
                                                        SeededRandom& random) const;
  absl::StatusOr<absl::optional<std::string>> Swapped(const TaskSample& sample,
                                                      const std::string& text,
                                                      SeededRandom& random) const;
  absl::optional<std::string> OfAnother(const std::vector<int64_t>* among, const std::string& text,
                                        SeededRandom& random) const;

  const Negatives negatives_;
  const Source& source_;
  const std::map<std::string, std::string> columns_;
  const std::unordered_set<std::string> words_;
  std::unordered_map<std::string, std::vector<int64_t>> groups_;  // by the value of `same`
};

// `word` of `text` in every place where it stands as a whole word, replaced by `other`.
std::string WithWordReplaced(const std::string& text, const std::string& word,
                             const std::string& other);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_SAMPLE_NEGATIVES_H_
