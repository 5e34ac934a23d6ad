// unival: record_queue.h - records that are taken one after the other, from wherever they come: a
// source, a list, lines that somebody is still writing.
//
//   auto queue = QueueOfLines(STDIN_FILENO, options);
//   for (;;) {
//     UNIVAL_ASSIGN_OR_RETURN(const std::vector<QueuedRecord> records, queue->Take(/*most=*/64));
//     if (records.empty()) break;
//     for (const QueuedRecord& record : records) Answer(record);
//   }
#ifndef UNIVAL_TRAINING_DATA_READ_RECORD_QUEUE_H_
#define UNIVAL_TRAINING_DATA_READ_RECORD_QUEUE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"

namespace unival {

// A record, or why this one cannot be read. `name` is what messages call it.
struct QueuedRecord {
  std::string name;
  absl::StatusOr<TaskSample> sample;
};

// Belongs to one thread.
class RecordQueue {
 public:
  virtual ~RecordQueue();
  // The next records in their order: at least one, at most `most` (above 0), and only those that
  // are there without waiting for more. Empty: there are no more. An error ends the queue.
  virtual absl::StatusOr<std::vector<QueuedRecord>> Take(size_t most) = 0;
  // How many records there are in all; nothing where that is not known yet.
  virtual absl::optional<int64_t> size() const = 0;
};

std::unique_ptr<RecordQueue> QueueOfRecords(std::vector<QueuedRecord> records);
std::unique_ptr<RecordQueue> QueueOfSource(std::unique_ptr<Source> source);
// One after the other.
std::unique_ptr<RecordQueue> QueueOfQueues(std::vector<std::unique_ptr<RecordQueue>> queues);
// The records of `queue` with `fields` in all of them, in place of their own of these names.
std::unique_ptr<RecordQueue> QueueWithFields(std::unique_ptr<RecordQueue> queue,
                                             std::map<std::string, FieldValue> fields);
// JSONL from an open descriptor, which is read as far as it goes and not closed: a pipe whose
// writer waits for answers gets them line by line. `options` as of a source whose path is "-":
// media are relative to the current folder. Records are called "-:17", by line from 1; a line that
// is no record is one that cannot be read. InvalidArgument for a line longer than kMaxLine and for
// what is packed.
std::unique_ptr<RecordQueue> QueueOfLines(int descriptor, const SourceOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_RECORD_QUEUE_H_
