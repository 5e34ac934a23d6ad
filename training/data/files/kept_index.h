// unival: kept_index.h
//
// Keeps what reading a big data file has found out: where its records or members begin, and hashes
// of its content. The next run then need not read the file again: docs/formats/data.md, "Index".
//
//   const KeptIndex kept(path, options.index);  // before the file is opened
//   absl::optional<SourceIndex> index = kept.Load();
//   if (!index) kept.Keep(*(index = ReadAll(path)));
//
// Nothing depends on an index. One that is missing, damaged, of another version or of an older
// content of the file is ignored; one that cannot be written is not there the next time.
#ifndef UNIVAL_TRAINING_DATA_FILES_KEPT_INDEX_H_
#define UNIVAL_TRAINING_DATA_FILES_KEPT_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "training/data/files/index_options.h"
#include "training/data/files/source_index.pb.h"

namespace unival {

// An index as the bytes of a file: magic, content hash of the rest, message.
std::string SourceIndexBytes(const SourceIndex& index);
// The reverse. InvalidArgument for bytes that are no index, are damaged, or say what no file can
// hold: a record or a member outside the content, steps that stand still, names that leave their
// folder.
absl::StatusOr<SourceIndex> ParseSourceIndex(absl::string_view bytes);

// Of one data file. Immutable; thread-safe, and safe between processes.
class KeptIndex {
 public:
  // Looks at the file as it is now: make it before the file is read.
  KeptIndex(std::string path, const IndexOptions& options);

  // Whether one is kept of such a file: a regular one of at least `options.smallest` bytes.
  bool IsOn() const { return state_.has_value(); }

  // The kept index, if it is of the file as this object found it.
  absl::optional<SourceIndex> Load() const;

  // Keeps `index` in place of an older one; its fields about the file itself are filled in here.
  // Does nothing where no index is kept, where the file has changed since this object was made, or
  // where the index cannot be written.
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

#endif  // UNIVAL_TRAINING_DATA_FILES_KEPT_INDEX_H_
