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
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/data/import/import.h"

namespace unival {

// Reasons for leaving out that more than one layout has.
inline constexpr char kBlankText[] = "the text is empty";
inline constexpr char kWithoutText[] = "the record has no text";
inline constexpr char kRepeatedId[] = "the id is given twice";

// Single-threaded. Destroying an unfinished writer removes what it wrote.
class RecordWriter {
 public:
  // The source must be a folder. Errors of the system.
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

  // The text without blanks around it. Where nothing is left it is counted as left out; `what`
  // names it in the report. Every text that a record is made of goes through here.
  std::string KeepText(absl::string_view text, const std::string& what);

  // Does the same for the texts of one record. One without any text is counted as left out too; in
  // both cases the caller writes no record where the result is empty.
  std::vector<std::string> KeepTexts(const std::vector<std::string>& texts,
                                     const std::string& what);

  // Whether `what`, "question 7", is not yet in `met`, which keeps those of one file; a record that
  // is met again is counted as left out.
  bool IsFirst(const std::string& what, std::unordered_set<std::string>* met);

  // Counts records that are not written. `what` names the record, or what all of them are about.
  void LeaveOut(const std::string& reason, const std::string& what, int64_t records = 1);

  // Counts what is written otherwise than the publisher has it.
  void Change(const std::string& reason, const std::string& what);

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
