// unival: line_source.h - records that are lines of a text: JSONL and the reference's TSV; see
// source.h.
#ifndef UNIVAL_TRAINING_DATA_LINE_SOURCE_H_
#define UNIVAL_TRAINING_DATA_LINE_SOURCE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/mapped_file.h"
#include "training/data/line_parser.h"
#include "training/data/source.h"

namespace unival {

class LineSource : public Source {
 public:
  // `file`: the bytes of `options.path`.
  static absl::StatusOr<std::unique_ptr<Source>> Open(const SourceOptions& options,
                                                      const LineFormat& format,
                                                      std::shared_ptr<const MappedFile> file);

  const std::string& path() const override { return options_.path; }
  int64_t size() const override { return static_cast<int64_t>(lines_.size()); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  std::string fingerprint() const override;

 private:
  struct Line {
    absl::string_view text;
    int64_t number;  // from 1, blank lines counted
  };

  LineSource(const SourceOptions& options, const LineFormat& format,
             std::shared_ptr<const MappedFile> file);
  absl::Status IndexLines();
  // "images.tar" of every "images.tar:7.png" in a media column.
  std::set<std::string> NamedTars() const;

  const SourceOptions options_;
  const LineParser parser_;
  const std::shared_ptr<const MappedFile> file_;
  absl::string_view text_;  // of the file, without a byte order mark
  std::vector<Line> lines_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_LINE_SOURCE_H_
