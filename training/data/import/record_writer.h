// unival: record_writer.h - the JSONL that an importer writes: records with the paths of media that
// are there.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto writer, RecordWriter::Create(options));
//   UNIVAL_RETURN_IF_ERROR(writer->Add("image", {"train2014/7.jpg"}, {{"caption", "a dog"}}));
//   return writer->Finish();
#ifndef UNIVAL_TRAINING_DATA_IMPORT_RECORD_WRITER_H_
#define UNIVAL_TRAINING_DATA_IMPORT_RECORD_WRITER_H_

#include <fstream>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/data/import/import.h"

namespace unival {

// Single-threaded. Destroying an unfinished writer removes what it wrote.
class RecordWriter {
 public:
  // NotFound where the source is no folder; errors of the system.
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Create(const ImportOptions& options);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // The first of these paths, relative to the source folder, under which a file is; nothing where
  // none is. A path that leaves the folder is never one.
  std::string FindMedia(const std::vector<std::string>& paths) const;

  // Writes `record` with the medium in `column`; where no file is under any of `paths`, counts the
  // record as left out.
  absl::Status Add(const std::string& column, const std::vector<std::string>& paths,
                   nlohmann::ordered_json record);

  // Counts records that are not written. `what` names the record, or what all of them are about.
  void LeaveOut(const std::string& reason, const std::string& what, int64_t records = 1);

  // NotFound when no record was written, with what was left out.
  absl::StatusOr<ImportReport> Finish();

 private:
  RecordWriter(const ImportOptions& options, std::string before);

  const ImportOptions options_;
  const std::string temporary_;
  const std::string before_;  // of a path in the source, as a record names it
  std::ofstream stream_;
  bool finished_ = false;
  mutable std::vector<std::string> last_paths_;  // many records in turn have one medium
  mutable std::string last_found_;
  ImportReport report_;
};

// "expected one of ..." for a split that a layout does not have.
absl::Status UnknownSplit(const ImportOptions& options, const std::vector<std::string>& splits);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_RECORD_WRITER_H_
