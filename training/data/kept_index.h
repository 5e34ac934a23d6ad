// unival: kept_index.h
//
// What was found out about a big data file by reading it, where its records or members begin and
// what its content hashes to, kept between runs so that the next one need not read it again:
// docs/formats/data.md, "Index".
//
//   const KeptIndex kept(path, options.index);  // before the file is opened
//   absl::optional<SourceIndex> index = kept.Load();
//   if (!index) kept.Keep(*(index = ReadAll(path)));
//
// An index is never needed and never believed by itself. One that is missing, damaged, of another
// version or of the file as it was before is as if there were none; one that cannot be written is
// not there the next time.
#ifndef UNIVAL_TRAINING_DATA_KEPT_INDEX_H_
#define UNIVAL_TRAINING_DATA_KEPT_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "training/data/index_options.h"
#include "training/data/source_index.pb.h"

namespace unival {

// An index as the bytes of a file: magic, content hash of the rest, message.
std::string SourceIndexBytes(const SourceIndex& index);
// InvalidArgument for what is no index, is damaged, or says what no file can hold: a record or a
// member outside the content, steps that stand still, names that leave their folder.
absl::StatusOr<SourceIndex> ParseSourceIndex(absl::string_view bytes);

// Of one data file. Immutable; thread-safe, and safe between processes.
class KeptIndex {
 public:
  // Looks at the file as it is now: make it before the file is read.
  KeptIndex(std::string path, const IndexOptions& options);

  // Whether one is kept of such a file: a regular one of at least `options.smallest` bytes.
  bool IsOn() const { return state_.has_value(); }

  // What is kept, where it is of this very file.
  absl::optional<SourceIndex> Load() const;

  // Replaces what is kept. What it says of the file itself is filled in here. Nothing happens
  // where no index is kept, where the file has changed since this object was made, or where it
  // cannot be written.
  void Keep(SourceIndex index) const;

  // Whether the file is what it was when this object was made; true where no index is kept.
  bool IsUnchanged() const;

 private:
  struct State {
    int64_t size, modified, changed;  // bytes; nanoseconds
    bool operator==(const State& other) const {
      return size == other.size && modified == other.modified && changed == other.changed;
    }
  };
  static absl::optional<State> StateOf(const std::string& path);
  bool IsOf(const SourceIndex& index) const;
  struct Place {
    std::string file;
    std::string folder;  // made where it is not there; empty: the data's own
  };
  std::vector<Place> Places() const;  // where the index may be, the best first

  const std::string path_;
  const IndexOptions options_;
  const int64_t made_;  // nanoseconds
  absl::optional<State> state_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_KEPT_INDEX_H_
