// unival: line_source.h - records that are lines of a text: JSONL and the reference's TSV; see
// source.h.
#ifndef UNIVAL_TRAINING_DATA_LINE_SOURCE_H_
#define UNIVAL_TRAINING_DATA_LINE_SOURCE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/mapped_file.h"
#include "training/data/media_resolver.h"
#include "training/data/source.h"

namespace unival {

// What a line is.
struct LineFormat {
  // The fields of one line; `needed` as ParseRecord takes it.
  absl::StatusOr<std::map<std::string, FieldValue>> (*parse)(absl::string_view line,
                                                             const std::set<std::string>* needed);
  absl::string_view blanks;     // taken off both ends of a line
  bool embedded_media = false;  // a media column may hold the media item itself, in base64
};

// One JSON object a line.
LineFormat JsonlFormat();
// Fields with tabs between them; their columns are called "0", "1", … from the left. Four or more
// numbers with commas between them are a list of numbers, all else is text.
LineFormat TsvFormat();

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
  absl::StatusOr<std::map<std::string, FieldValue>> Fields(absl::string_view line) const;
  absl::StatusOr<MediaSource> Media(const std::string& text) const;

  const SourceOptions options_;
  const LineFormat format_;
  std::set<std::string> media_columns_;
  const absl::optional<std::set<std::string>> needed_;  // columns of the records
  MediaResolver media_;
  const std::shared_ptr<const MappedFile> file_;
  absl::string_view text_;  // of the file, without a byte order mark
  std::vector<Line> lines_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_LINE_SOURCE_H_
