// unival: line_parser.h - one line of JSONL or TSV as the fields of a record; see source.h.
//
//   const LineParser parser(options, JsonlFormat());
//   UNIVAL_ASSIGN_OR_RETURN(auto fields, parser.Fields(R"({"image": "images/7.png"})"));
#ifndef UNIVAL_TRAINING_DATA_READ_LINE_PARSER_H_
#define UNIVAL_TRAINING_DATA_READ_LINE_PARSER_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "training/data/read/media_resolver.h"
#include "training/data/read/source.h"

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

// Thread-safe.
class LineParser {
 public:
  // Media lie where `options` says: its path is the file of the lines, "-" the current folder.
  LineParser(const SourceOptions& options, const LineFormat& format);

  // Named as the task has them, media resolved, with the bytes of members of tars unless these are
  // not wanted. InvalidArgument and NotFound as Source::Read, without file and line.
  absl::StatusOr<std::map<std::string, FieldValue>> Fields(absl::string_view line,
                                                           bool with_bytes = true) const;

  const LineFormat& format() const { return format_; }
  const MediaResolver& media() const { return media_; }

 private:
  absl::StatusOr<MediaSource> Media(const std::string& text, bool with_bytes) const;

  const SourceOptions options_;
  const LineFormat format_;
  const std::set<std::string> media_columns_;
  const absl::optional<std::set<std::string>> needed_;  // columns of the records
  const MediaResolver media_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_LINE_PARSER_H_
