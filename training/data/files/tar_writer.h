// unival: tar_writer.h
//
// Writes a tar shard: the same members give the same bytes (no times, users or machine names). The
// file appears under its name only when it is complete.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto writer, TarWriter::Create("dev.tar"));
//   UNIVAL_RETURN_IF_ERROR(writer->Add("0_george_5.wav", bytes));
//   UNIVAL_RETURN_IF_ERROR(writer->Finish());
#ifndef UNIVAL_TRAINING_DATA_FILES_TAR_WRITER_H_
#define UNIVAL_TRAINING_DATA_FILES_TAR_WRITER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct archive;

namespace unival {

// Single-threaded. Destroying an unfinished writer removes what it wrote.
class TarWriter {
 public:
  // Unavailable with the system's reason when the file cannot be created.
  static absl::StatusOr<std::unique_ptr<TarWriter>> Create(const std::string& path);
  ~TarWriter();

  absl::Status Add(const std::string& member, absl::string_view bytes);
  // Closes, syncs and renames.
  absl::Status Finish();

 private:
  explicit TarWriter(const std::string& path) : path_(path), temporary_(path + ".tmp") {}
  absl::Status Error() const;

  const std::string path_, temporary_;
  archive* archive_ = nullptr;
  bool finished_ = false;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_TAR_WRITER_H_
