// unival: record_writer.h
//
// Writes one split of a generated data set: a tar of media and one JSONL file per task that refers
// to its members.
//
//   auto writer = RecordWriter::Create("world/image/train", "images.tar");
//   std::string path = *writer->AddMedia("000001.png", png);   // "images.tar:000001.png"
//   writer->AddRecord("caption", {{"image", path}, {"caption", "a red circle"}});  // caption.jsonl
//   absl::Status written = writer->Finish();
//
// The bytes depend on what is added and nothing else (no times, no owners). Files appear under
// their names only in Finish; a writer that is dropped before removes its temporary files.
// Thread-compatible.
#ifndef UNIVAL_EXAMPLES_WORLD_RECORD_WRITER_H_
#define UNIVAL_EXAMPLES_WORLD_RECORD_WRITER_H_

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/folder_lock.h"
#include "training/data/files/tar_writer.h"

namespace unival::world {

// Columns in the order they were set.
using Record = nlohmann::ordered_json;

class RecordWriter {
 public:
  // Creates `folder`, which is the writer's alone until it is gone. `media_name` is the tar's file
  // name; empty when no media follow.
  // Errors: FailedPrecondition while another writer has the folder; those of making the folder and
  // of writing are SystemError's (sdk/base/files.h), those of the tar TarWriter's.
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Create(const std::string& folder,
                                                              const std::string& media_name);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Returns how records name the member, relative to the JSONL files.
  absl::StatusOr<std::string> AddMedia(const std::string& member, const std::string& bytes);
  // Appends a line to `task`.jsonl.
  absl::Status AddRecord(const std::string& task, const Record& record);
  // Closes all files and gives them their names. Call once, last.
  absl::Status Finish();

 private:
  RecordWriter(std::string folder, std::string media_name)
      : folder_(std::move(folder)), media_name_(std::move(media_name)) {}
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  const std::string folder_;
  const std::string media_name_;
  FolderLock lock_;
  std::unique_ptr<TarWriter> tar_;
  std::map<std::string, std::ofstream> files_;  // by file name
  bool finished_ = false;
};

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_RECORD_WRITER_H_
