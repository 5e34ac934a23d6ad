// unival: record_inspection.h
//
// Reads records and their media on all cores, and gives what is found in order.
//
//   RecordInspection inspection(*runtime, task, model, media_columns);
//   UNIVAL_RETURN_IF_ERROR(inspection.Prepare());
//   UNIVAL_ASSIGN_OR_RETURN(const auto source, inspection.Open(path, columns, limit));
//   inspection.Run(*source, threads, [](const Inspected& record, int64_t index) { ... });
#ifndef UNIVAL_TRAINING_DATA_CHECK_RECORD_INSPECTION_H_
#define UNIVAL_TRAINING_DATA_CHECK_RECORD_INSPECTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/templates/record_fault.h"
#include "training/data/check/media_check.h"
#include "training/data/read/source.h"

namespace unival {

// What one record was found to be.
struct Inspected {
  absl::StatusOr<TaskSample> sample = absl::UnknownError("not read");
  std::map<std::string, MediaVerdict> media;  // by column
  std::vector<RecordFault> faults;            // of the columns that the task names
  // Media column -> hash of the bytes, empty where they cannot be read.
  std::map<std::string, std::string> digests() const;
};

// To be used by one thread; starts threads of its own.
class RecordInspection {
 public:
  // `task` and `model` may be null. All must outlive this.
  RecordInspection(const Runtime& runtime, const LoadedTemplate* task, const Model* model,
                   const std::vector<std::string>& media_columns);

  // Makes the modalities that plugins registered. Returns the error of one that cannot be made.
  absl::Status Prepare();

  absl::StatusOr<std::unique_ptr<Source>> Open(
      const std::string& path, const std::map<std::string, std::string>& columns, int64_t limit,
      const std::map<std::string, std::string>& media_roots, const IndexOptions& index) const;

  using Taker = std::function<void(const Inspected&, int64_t index)>;
  // Calls `take` for every record in order. `threads` 0: all cores.
  void Run(const Source& source, int threads, const Taker& take) const;
  // Does the same as Run, but only hashes the media: it decodes and checks nothing.
  void RunHashing(const Source& source, int threads, const Taker& take) const;

  const TemplateReading& reading() const { return reading_; }
  const VocabularyView& vocabulary() const;
  // Called like its column where nothing says more: a tar may hold media of any column.
  const std::string& ModalityOf(const std::string& column) const {
    const auto known = media_of_.find(column);
    return known == media_of_.end() ? column : known->second;
  }
  // Types of modalities that plugins registered.
  const std::set<std::string>& plugin_types() const { return plugin_types_; }

 private:
  bool IsRead(const std::string& column) const;
  Inspected Inspect(const Source& source, int64_t index) const;
  Inspected Hash(const Source& source, int64_t index) const;

  const Runtime& runtime_;
  const LoadedTemplate* task_;
  const Model* model_;
  MediaCheck media_;
  const ByteVocabulary bytes_;
  std::map<std::string, std::string> media_of_;  // column -> modality
  std::set<std::string> plugin_types_;
  TemplateReading reading_;
  bool needs_size_ = false;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_RECORD_INSPECTION_H_
