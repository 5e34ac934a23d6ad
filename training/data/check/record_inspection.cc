#include "training/data/check/record_inspection.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "sdk/base/status_macros.h"
#include "training/data/cache/media_keys.h"

namespace unival {
namespace {

// How many inspected records may wait to be taken, and how many records a thread takes at once.
constexpr int64_t kAhead = 256, kTogether = 8;

// Threads that inspect records 0 ... count - 1, with at most kAhead results that were not taken
// yet. They live until all records are read, because each new thread makes libtorch start threads
// of its own again, which takes longer than inspecting many a record.
class Lookers {
 public:
  using Look = std::function<Inspected(int64_t)>;

  Lookers(int64_t count, int threads, const Look& look) : count_(count), look_(look) {
    const int64_t most = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
    for (int64_t i = 0; i < std::min(most, count); ++i) threads_.emplace_back([this] { Run(); });
  }
  // Ends the threads, also when not all records were taken.
  ~Lookers() {
    {
      const absl::MutexLock lock(&mutex_);
      stopped_ = true;
    }
    for (std::thread& thread : threads_) thread.join();
  }

  // Waits for the next record in order, and returns what was found. Call it `count` times at most.
  Inspected Take() {
    const auto is_there = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return found_.count(taken_) > 0;
    };
    const absl::MutexLock lock(&mutex_, absl::Condition(&is_there));
    return std::move(found_.extract(taken_++).mapped());
  }

 private:
  void Run() {
    // Each thread computes alone, as a loader of training does. libtorch is asked first, because
    // its first call on a thread sets OpenMP's number of threads.
    at::get_num_threads();
    omp_set_num_threads(1);
    for (int64_t begin = Begin(); begin < count_; begin = Begin()) {
      const int64_t end = std::min(begin + kTogether, count_);
      std::vector<Inspected> some;
      for (int64_t i = begin; i < end; ++i) some.push_back(look_(i));
      const absl::MutexLock lock(&mutex_);
      for (int64_t i = begin; i < end; ++i) {
        found_.emplace(i, std::move(some[static_cast<size_t>(i - begin)]));
      }
    }
  }

  // The first of the next kTogether, once there is room for them; `count` where none is wanted.
  int64_t Begin() {
    const auto has_room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopped_ || next_ - taken_ < kAhead;
    };
    const absl::MutexLock lock(&mutex_, absl::Condition(&has_room));
    return stopped_ ? count_ : std::exchange(next_, next_ + kTogether);
  }

  const int64_t count_;
  const Look& look_;
  absl::Mutex mutex_;
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0, taken_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<int64_t, Inspected> found_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

void InOrder(const Source& source, int threads, const RecordInspection::Taker& take,
             const std::function<Inspected(int64_t)>& look) {
  Lookers lookers(source.size(), threads, look);
  for (int64_t i = 0; i < source.size(); ++i) take(lookers.Take(), i);
}

}  // namespace

std::map<std::string, std::string> Inspected::digests() const {
  std::map<std::string, std::string> digests;
  for (const auto& [column, verdict] : media) digests[column] = verdict.digest;
  return digests;
}

RecordInspection::RecordInspection(const Runtime& runtime, const LoadedTemplate* task,
                                   const Model* model,
                                   const std::vector<std::string>& media_columns)
    : runtime_(runtime),
      task_(task),
      model_(model),
      media_(runtime, model),
      bytes_(ByteVocabulary::Published()) {
  for (const std::string& column : media_columns) media_of_.emplace(column, column);
  for (const Registry::Entry& entry : runtime_.registry().List()) {
    if (entry.kind == "modality" && entry.origin != "built-in") plugin_types_.insert(entry.type);
  }
  if (task_ == nullptr) {  // which media there may be; a task says itself which there are
    for (const std::string& column : UsualMediaColumns()) media_of_[column] = column;
    for (const std::string& type : plugin_types_) media_of_[type] = type;
    return;
  }
  for (const TaskInput& input : task_->proto.input()) media_of_[input.name()] = input.modality();
  reading_ = ReadTemplate(*task_, runtime_.template_types().slots);
  needs_size_ = HasBoxes(reading_);
}

absl::Status RecordInspection::Prepare() {
  for (const std::string& type : plugin_types_) {
    if (model_ != nullptr && model_->modality(type) != nullptr) continue;
    UNIVAL_RETURN_IF_ERROR(media_.AddPlugin(type));
  }
  return absl::OkStatus();
}

const VocabularyView& RecordInspection::vocabulary() const {
  return model_ == nullptr ? static_cast<const VocabularyView&>(bytes_) : model_->vocabulary();
}

absl::StatusOr<std::unique_ptr<Source>> RecordInspection::Open(
    const std::string& path, const std::map<std::string, std::string>& columns, int64_t limit,
    const std::map<std::string, std::string>& media_roots, const IndexOptions& index) const {
  SourceOptions opening;
  opening.path = path;
  opening.media_roots = media_roots;
  opening.index = index;
  opening.columns = columns;
  opening.limit = limit;
  opening.missing_media = true;
  opening.usual_media = false;  // media_of_ has them where they count
  for (const auto& entry : media_of_) opening.media_columns.push_back(entry.first);
  // What columns hold that no task reads does not matter.
  opening.needed = task_ == nullptr ? std::set<std::string>() : ColumnsRead(reading_);
  return OpenSource(opening);
}

// Media of the task, or all there are.
bool RecordInspection::IsRead(const std::string& column) const {
  if (task_ == nullptr) return true;
  return absl::c_any_of(task_->proto.input(),
                        [&](const TaskInput& input) { return input.name() == column; });
}

Inspected RecordInspection::Inspect(const Source& source, int64_t index) const {
  Inspected inspected;
  inspected.sample = source.Read(index);
  if (!inspected.sample.ok()) return inspected;
  for (const auto& [column, value] : inspected.sample->fields) {
    const auto* media = std::get_if<MediaSource>(&value);
    if (media == nullptr || !IsRead(column)) continue;
    inspected.media[column] = media_.Check(ModalityOf(column), *media, needs_size_);
  }
  if (task_ != nullptr) {
    inspected.faults = FaultsOfRecord(reading_, vocabulary(), *inspected.sample);
  }
  return inspected;
}

// The record without its media, which may be large, but with their hashes.
Inspected RecordInspection::Hash(const Source& source, int64_t index) const {
  Inspected inspected;
  absl::StatusOr<TaskSample> sample = source.Read(index);
  if (!sample.ok()) return inspected;
  TaskSample texts{sample->key, {}};
  for (auto& [column, value] : sample->fields) {
    const auto* media = std::get_if<MediaSource>(&value);
    if (media == nullptr) {
      texts.fields[column] = std::move(value);
    } else if (IsRead(column)) {
      inspected.media[column].digest = MediaKey(*media, 0).value_or("");
    }
  }
  inspected.sample = std::move(texts);
  return inspected;
}

void RecordInspection::Run(const Source& source, int threads, const Taker& take) const {
  InOrder(source, threads, take, [&](int64_t index) { return Inspect(source, index); });
}

void RecordInspection::RunHashing(const Source& source, int threads, const Taker& take) const {
  InOrder(source, threads, take, [&](int64_t index) { return Hash(source, index); });
}

}  // namespace unival
