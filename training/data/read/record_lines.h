// unival: record_lines.h - where the lines of a text that are records begin.
#ifndef UNIVAL_TRAINING_DATA_READ_RECORD_LINES_H_
#define UNIVAL_TRAINING_DATA_READ_RECORD_LINES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/data/files/source_index.pb.h"

namespace unival {

// Takes the next line off `rest`, and returns it without `blanks` around it.
absl::string_view TakeLine(absl::string_view* rest, absl::string_view blanks);

// Eight bytes a record. Immutable after creation.
class RecordLines {
 public:
  // Finds the first `limit` lines of `content` that hold more than `blanks`; 0: all. A byte order
  // mark is no part of the first. InvalidArgument "PATH:7: ..." for a line longer than kMaxLine.
  static absl::StatusOr<RecordLines> Find(absl::string_view content, absl::string_view blanks,
                                          int64_t limit, const std::string& path);
  // From an index, which holds what CheckIndex (kept_index.h) found right.
  static RecordLines Of(const LineIndex& index, int64_t limit);
  void AddTo(LineIndex* index) const;

  int64_t size() const { return static_cast<int64_t>(starts_.size()); }
  // The line of a record, without `blanks` around it. DataLoss where no line begins there: the
  // content is not the one that these lines were found in.
  absl::StatusOr<absl::string_view> LineOf(int64_t record, absl::string_view content,
                                           absl::string_view blanks) const;
  // The number of the record's line in the file, from 1; lines that are no records count, too.
  int64_t NumberOf(int64_t record) const;

 private:
  struct Skipped {
    int64_t record;
    int64_t lines;  // in all that come before this record
  };
  std::vector<uint64_t> starts_;
  std::vector<Skipped> skipped_;
};

// A text without the mark of its byte order.
absl::string_view WithoutByteOrderMark(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_RECORD_LINES_H_
