// unival: line_source.h - records that are lines of a text: JSONL and the reference's TSV; see
// source.h.
#ifndef UNIVAL_TRAINING_DATA_READ_LINE_SOURCE_H_
#define UNIVAL_TRAINING_DATA_READ_LINE_SOURCE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "sdk/base/mapped_file.h"
#include "training/data/files/data_content.h"
#include "training/data/files/kept_index.h"
#include "training/data/read/line_parser.h"
#include "training/data/read/record_lines.h"
#include "training/data/read/source.h"

namespace unival {

class LineSource : public Source {
 public:
  // `file`: the bytes of `options.path`; null: they are opened here.
  static absl::StatusOr<std::unique_ptr<Source>> Open(const SourceOptions& options,
                                                      const LineFormat& format,
                                                      std::shared_ptr<const MappedFile> file);

  const std::string& path() const override { return options_.path; }
  int64_t size() const override { return lines_.size(); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  absl::StatusOr<TaskSample> ReadFields(int64_t index) const override;
  std::string fingerprint() const override;
  std::map<std::string, FileWarning> warnings() const override;
  std::vector<std::string> files() const override;
  absl::StatusOr<DataIdentity> Identity(bool read_all) const override;

 private:
  LineSource(const SourceOptions& options, const LineFormat& format,
             std::shared_ptr<const MappedFile> file);
  absl::StatusOr<std::shared_ptr<const MappedFile>> OpenContent() const;
  absl::Status FindLines();
  bool TakeIndex();
  void KeepIndex() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<TaskSample> ReadLine(int64_t index, bool with_bytes) const;
  // "images.tar" of every "images.tar:7.png" in a media column, sorted.
  std::vector<std::string> FindNamedTars(const MappedFile& file) const;
  absl::Status FillIdentity(const std::vector<std::string>& columns) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SourceOptions options_;
  const LineParser parser_;
  const KeptIndex kept_;
  const std::set<std::string> record_columns_;  // of the records, those that may name tars
  const DataContent content_;
  absl::optional<int64_t> content_size_;  // if an index states it
  bool is_packed_ = false;                // the same
  RecordLines lines_;
  mutable absl::Mutex mutex_;
  // Found when first asked for, or taken from an index: the content's hash, and the tars that
  // records name, by the record columns that hold media.
  mutable std::string content_hash_ ABSL_GUARDED_BY(mutex_);
  mutable std::map<std::vector<std::string>, std::vector<std::string>> named_tars_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_LINE_SOURCE_H_
