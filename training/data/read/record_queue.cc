#include "training/data/read/record_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

class ListQueue : public RecordQueue {
 public:
  explicit ListQueue(std::vector<QueuedRecord> records) : records_(std::move(records)) {}

  absl::StatusOr<std::vector<QueuedRecord>> Take(size_t most) override {
    const auto begin = records_.begin() + static_cast<ptrdiff_t>(taken_);
    const size_t count = std::min(most, records_.size() - taken_);
    taken_ += count;
    return std::vector<QueuedRecord>(
        std::make_move_iterator(begin),
        std::make_move_iterator(begin + static_cast<ptrdiff_t>(count)));
  }
  absl::optional<int64_t> size() const override { return static_cast<int64_t>(records_.size()); }

 private:
  std::vector<QueuedRecord> records_;
  size_t taken_ = 0;
};

class SourceQueue : public RecordQueue {
 public:
  explicit SourceQueue(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  absl::StatusOr<std::vector<QueuedRecord>> Take(size_t most) override {
    std::vector<QueuedRecord> records;
    for (; records.size() < most && taken_ < source_->size(); ++taken_) {
      absl::StatusOr<TaskSample> sample = source_->Read(taken_);
      const std::string name =
          sample.ok() ? sample->key : absl::StrCat(source_->path(), ", record ", taken_ + 1);
      records.push_back({name, std::move(sample)});
    }
    return records;
  }
  absl::optional<int64_t> size() const override { return source_->size(); }

 private:
  const std::unique_ptr<Source> source_;
  int64_t taken_ = 0;
};

class ChainedQueue : public RecordQueue {
 public:
  explicit ChainedQueue(std::vector<std::unique_ptr<RecordQueue>> queues)
      : queues_(std::move(queues)) {}

  absl::StatusOr<std::vector<QueuedRecord>> Take(size_t most) override {
    for (; current_ < queues_.size(); ++current_) {
      UNIVAL_ASSIGN_OR_RETURN(std::vector<QueuedRecord> records, queues_[current_]->Take(most));
      if (!records.empty()) return records;
    }
    return std::vector<QueuedRecord>();
  }
  absl::optional<int64_t> size() const override {
    int64_t sum = 0;
    for (const auto& queue : queues_) {
      const absl::optional<int64_t> size = queue->size();
      if (!size.has_value()) return absl::nullopt;
      sum += *size;
    }
    return sum;
  }

 private:
  const std::vector<std::unique_ptr<RecordQueue>> queues_;
  size_t current_ = 0;
};

class FilledQueue : public RecordQueue {
 public:
  FilledQueue(std::unique_ptr<RecordQueue> queue, std::map<std::string, FieldValue> fields)
      : queue_(std::move(queue)), fields_(std::move(fields)) {}

  absl::StatusOr<std::vector<QueuedRecord>> Take(size_t most) override {
    UNIVAL_ASSIGN_OR_RETURN(std::vector<QueuedRecord> records, queue_->Take(most));
    for (QueuedRecord& record : records) {
      if (!record.sample.ok()) continue;
      for (const auto& [column, value] : fields_) record.sample->fields[column] = value;
    }
    return records;
  }
  absl::optional<int64_t> size() const override { return queue_->size(); }

 private:
  const std::unique_ptr<RecordQueue> queue_;
  const std::map<std::string, FieldValue> fields_;
};

}  // namespace

RecordQueue::~RecordQueue() = default;

std::unique_ptr<RecordQueue> QueueOfRecords(std::vector<QueuedRecord> records) {
  return std::make_unique<ListQueue>(std::move(records));
}

std::unique_ptr<RecordQueue> QueueOfSource(std::unique_ptr<Source> source) {
  return std::make_unique<SourceQueue>(std::move(source));
}

std::unique_ptr<RecordQueue> QueueOfQueues(std::vector<std::unique_ptr<RecordQueue>> queues) {
  return std::make_unique<ChainedQueue>(std::move(queues));
}

std::unique_ptr<RecordQueue> QueueWithFields(std::unique_ptr<RecordQueue> queue,
                                             std::map<std::string, FieldValue> fields) {
  if (fields.empty()) return queue;
  return std::make_unique<FilledQueue>(std::move(queue), std::move(fields));
}

}  // namespace unival
