// unival: batch_loader.h
//
// Micro-batches for the trainer, prepared ahead of the compute thread: reading, MakeExample and
// Preprocess run on loader threads; a bounded number of batches waits; the order is that of the
// sampler whatever the threads do.
//
//   BatchLoader loader(options, std::move(sampler));
//   UNIVAL_ASSIGN_OR_RETURN(TrainingBatch batch, loader.Next());
#ifndef UNIVAL_TRAINING_RUN_BATCH_LOADER_H_
#define UNIVAL_TRAINING_RUN_BATCH_LOADER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "runtime/collate.h"
#include "sdk/native/task.h"
#include "training/data/cache/feature_cache.h"
#include "training/data/cache/media_keys.h"
#include "training/data/read/on_demand_source.h"
#include "training/data/read/source.h"
#include "training/data/sample/negatives.h"
#include "training/data/sample/sampler.h"

namespace unival {

// A further example that a template makes of every record of a source.
struct FurtherTask {
  const Task* task = nullptr;
  std::map<std::string, std::string> columns;      // its column -> the record's
  std::shared_ptr<const NegativeMaker> negatives;  // null: it takes records as they are
};

// One source of a stage, opened.
struct StageSource {
  std::string name;
  const Task* task = nullptr;
  const Source* source = nullptr;
  bool augment = false;
  std::string field;  // of the plan, "stage[0].source[1]": no two of a run have the same
  std::shared_ptr<const NegativeMaker> negatives;  // of `task`
  std::vector<FurtherTask> further;
  OnDemandSource* files = nullptr;  // what `source` is, where it may be closed
};

// A media item of a frozen encoder whose features are still to be computed.
struct PendingFeatures {
  size_t row = 0;
  size_t media_index = 0;
  std::string key;  // of the cache
};

struct TrainingBatch {
  int64_t step = 0;
  int source = 0;                    // of the first row, index into the stage's sources
  int64_t epoch = 0;                 // of that source
  int64_t rows = 0;                  // of the sampler, with those that failed
  std::vector<int64_t> source_rows;  // the same of all processes, by source
  std::vector<PreparedExample> examples;
  std::vector<int> example_sources;  // of each example, indices into the stage's sources
  std::vector<PendingFeatures> pending;
  int64_t cache_hits = 0;
  // "KEY: reason" of media that could not be decoded; their rows are left out.
  std::vector<std::string> failures;
  std::string sampler_state;  // after this batch was made
  double reading_seconds = 0, decoding_seconds = 0;
};

struct LoaderOptions {
  const Model* model = nullptr;
  std::vector<StageSource> sources;
  // Frozen modalities by id, with their cache or null. Their items come as features or pending, one
  // by one.
  std::map<std::string, FeatureCache*> frozen;
  MediaKeys* keys = nullptr;  // of the run; null: of this loader alone
  // Augmented variants of a frozen modality's item; 0: unbounded where nothing is cached.
  int variants = 0;
  uint64_t seed = 0;
  int64_t first_step = 0, end_step = 0;
  int micro_batches = 1;
  int threads = 1;
  int queue = 4;  // batches that may wait
};

// Single-threaded for its owner; starts and joins its own threads.
class BatchLoader {
 public:
  BatchLoader(LoaderOptions options, BalancedSampler sampler);
  ~BatchLoader();

  // The next micro-batch, steps in order, `micro_batches` of each. Blocks. Media errors become
  // `failures` of the batch. Errors: a record that cannot be read or does not fit its task; a
  // modality that fails otherwise; OutOfRange after the last step.
  absl::StatusOr<TrainingBatch> Next();

 private:
  struct Job {
    int64_t number = 0;
    int64_t step = 0;
    MicroBatch rows;
    std::string sampler_state;
  };

  void Work();
  bool TakeJob(Job* job);
  bool CanTake() const;
  absl::StatusOr<TrainingBatch> Load(const Job& job) const;
  // One task's example of a record. `first`: the place in the batch of the record's first example,
  // whose prepared media are taken over; the own place for the first. False: it was counted as a
  // failure.
  struct RowExample {
    const Task& task;
    const NegativeMaker* negatives;
    uint64_t text_seed, media_seed;
    std::string place;  // where the record stands
    size_t first;
  };
  absl::Status LoadRow(const StageSource& source, int64_t index, uint64_t seed,
                       TrainingBatch* batch) const;
  absl::StatusOr<bool> LoadExample(const StageSource& source, const RowExample& row,
                                   TaskSample sample, TrainingBatch* batch) const;
  bool TakeOver(const MediaInput& input, const RowExample& row, const TrainingBatch& batch,
                PreparedMedia* media) const;
  // `place` is where the record stands: source and index.
  absl::Status PrepareMedia(const MediaInput& input, bool augment, uint64_t seed,
                            const std::string& place, size_t row, size_t media_index,
                            PreparedMedia* media, TrainingBatch* batch) const;

  const LoaderOptions options_;
  MediaKeys own_keys_;
  MediaKeys& keys_;
  const int64_t job_count_;
  absl::Mutex mutex_;
  BalancedSampler sampler_;
  int64_t next_job_ = 0;
  int64_t consumed_ = 0;
  bool stopping_ = false;
  std::map<int64_t, absl::StatusOr<TrainingBatch>> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_BATCH_LOADER_H_
