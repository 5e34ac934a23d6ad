// unival: jsonl_source.h - records of a JSONL file; see source.h.
#ifndef UNIVAL_TRAINING_DATA_JSONL_SOURCE_H_
#define UNIVAL_TRAINING_DATA_JSONL_SOURCE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/base/mapped_file.h"
#include "training/data/media_resolver.h"
#include "training/data/source.h"

namespace unival {

class JsonlSource : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<Source>> Open(const SourceOptions& options);

  const std::string& path() const override { return options_.path; }
  int64_t size() const override { return static_cast<int64_t>(lines_.size()); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  std::string fingerprint() const override;

 private:
  struct Line {
    absl::string_view text;
    int64_t number;  // from 1, blank lines counted
  };

  explicit JsonlSource(const SourceOptions& options);
  absl::Status IndexLines();
  // "images.tar" of every "images.tar:7.png" in a media column.
  std::set<std::string> NamedTars() const;
  absl::StatusOr<std::map<std::string, FieldValue>> Fields(absl::string_view line) const;

  const SourceOptions options_;
  std::set<std::string> media_columns_;
  const absl::optional<std::set<std::string>> needed_;  // columns of the records
  MediaResolver media_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<Line> lines_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_JSONL_SOURCE_H_
