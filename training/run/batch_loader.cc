#include "training/run/batch_loader.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/record_check.h"
#include "sdk/base/random.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/run/part_times.h"

namespace unival {
namespace {

// How one item is varied. `code` is part of its cache key: 0 is the plain item.
struct Augmentation {
  bool augment = false;
  uint64_t code = 0;
};

// With a bounded number of variants the draw picks one of them, the plain item among them.
Augmentation ChooseVariant(bool augment, int variants, uint64_t plan_seed, uint64_t row_seed) {
  if (!augment || variants <= 1) return {};
  const uint64_t variant = Mix(row_seed, 0x76617269) % static_cast<uint64_t>(variants);
  if (variant == 0) return {};
  return {true, Mix(plan_seed, variant) | 1};
}

}  // namespace

BatchLoader::BatchLoader(LoaderOptions options, BalancedSampler sampler)
    : options_(std::move(options)),
      keys_(options_.keys == nullptr ? own_keys_ : *options_.keys),
      job_count_((options_.end_step - options_.first_step) * options_.micro_batches),
      sampler_(std::move(sampler)) {
  for (int i = 0; i < std::max(1, options_.threads); ++i) threads_.emplace_back([this] { Work(); });
}

BatchLoader::~BatchLoader() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool BatchLoader::CanTake() const {
  return stopping_ || next_job_ >= job_count_ || next_job_ < consumed_ + options_.queue;
}

bool BatchLoader::TakeJob(Job* job) {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &BatchLoader::CanTake));
  if (stopping_ || next_job_ >= job_count_) return false;
  job->number = next_job_++;
  job->step = options_.first_step + job->number / options_.micro_batches;
  job->rows = sampler_.Next(job->step);
  job->sampler_state = sampler_.Save();
  return true;
}

void BatchLoader::Work() {
  // A loader thread computes alone: an item is too little work to divide, and the compute thread
  // needs the cores. libtorch sets the number of threads when a thread first asks for it, so it is
  // asked before the number is set to one.
  at::get_num_threads();
  omp_set_num_threads(1);
  Job job;
  while (TakeJob(&job)) {
    // Tasks, modalities and readers may throw; nothing above this thread would catch it.
    absl::StatusOr<TrainingBatch> batch =
        CatchTorch(absl::StrCat("load step ", job.step), [&] { return Load(job); });
    absl::MutexLock lock(&mutex_);
    ready_.emplace(job.number, std::move(batch));
  }
}

absl::StatusOr<TrainingBatch> BatchLoader::Next() {
  absl::MutexLock lock(&mutex_);
  if (consumed_ >= job_count_) return absl::OutOfRangeError("batch loader: no more steps");
  const auto is_ready = [this] { return ready_.count(consumed_) > 0; };
  mutex_.Await(absl::Condition(&is_ready));
  auto found = ready_.find(consumed_);
  absl::StatusOr<TrainingBatch> batch = std::move(found->second);
  ready_.erase(found);
  ++consumed_;
  return batch;
}

absl::StatusOr<TrainingBatch> BatchLoader::Load(const Job& job) const {
  TrainingBatch batch;
  batch.step = job.step;
  batch.source = job.rows.source;
  batch.epoch = job.rows.epoch;
  batch.rows = static_cast<int64_t>(job.rows.indices.size());
  batch.source_rows = job.rows.source_rows;
  batch.sampler_state = job.sampler_state;
  for (size_t i = 0; i < job.rows.indices.size(); ++i) {
    const int source = job.rows.sources[i];
    UNIVAL_RETURN_IF_ERROR(
        LoadRow(options_.sources[source], job.rows.indices[i], job.rows.seeds[i], &batch));
    batch.example_sources.resize(batch.examples.size(), source);
  }
  return batch;
}

absl::Status BatchLoader::LoadRow(const StageSource& source, int64_t index, uint64_t seed,
                                  TrainingBatch* batch) const {
  const auto read = [&] {
    const PartTimer timer(&batch->reading_seconds);
    return source.source->Read(index);
  };
  UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, read());
  // Two sources may read one file with other filters, so the path does not name a record.
  RowExample row{*source.task,
                 source.negatives.get(),
                 seed,
                 seed,
                 absl::StrCat(source.field, " ", index),
                 batch->examples.size()};
  UNIVAL_ASSIGN_OR_RETURN(bool is_loaded, LoadExample(source, row, sample, batch));
  for (size_t i = 0; is_loaded && i < source.further.size(); ++i) {
    const FurtherTask& further = source.further[i];
    // The media are those of the first example, augmented alike; what is drawn for texts is not.
    RowExample next{*further.task,
                    further.negatives.get(),
                    Mix(seed, 0x616c736f, i),
                    seed,
                    absl::StrCat(row.place, " also ", i),
                    row.first};
    UNIVAL_ASSIGN_OR_RETURN(is_loaded,
                            LoadExample(source, next, WithColumns(sample, further.columns), batch));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> BatchLoader::LoadExample(const StageSource& source, const RowExample& row,
                                              TaskSample sample, TrainingBatch* batch) const {
  const std::string where = absl::StrCat("source \"", source.name, "\": ", sample.key);
  const auto make = [&]() -> absl::StatusOr<Seq2SeqExample> {
    const PartTimer timer(&batch->reading_seconds);
    if (row.negatives != nullptr) {
      UNIVAL_ASSIGN_OR_RETURN(
          sample, Annotate(row.negatives->Judge(std::move(sample), row.text_seed), where));
    }
    return Annotate(row.task.MakeExample(sample, ExampleMode::kTraining, row.text_seed), where);
  };
  UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example, make());
  const PartTimer timer(&batch->decoding_seconds);
  const absl::Status fits = CheckLengths(*options_.model, example, LengthOf::kPromptAndTarget);
  if (!fits.ok()) {
    batch->failures.push_back(std::string(fits.message()));
    return false;
  }
  PreparedExample prepared;
  const size_t at = batch->examples.size();
  const size_t pending_before = batch->pending.size();
  for (size_t media_index = 0; media_index < example.media.size(); ++media_index) {
    PreparedMedia& media = prepared.media.emplace_back();
    if (TakeOver(example.media[media_index], row, *batch, &media)) continue;
    absl::Status status =
        PrepareMedia(example.media[media_index], source.augment, Mix(row.media_seed, media_index),
                     row.place, at, media_index, &media, batch);
    if (status.ok()) continue;
    if (!IsMediaError(status)) return status;
    batch->pending.resize(pending_before);
    batch->failures.push_back(AtRecord(sample.key, status));
    return false;
  }
  prepared.example = std::move(example);
  if (prepared.example.key.empty())
    prepared.example.key = sample.key;  // a task that is code may leave it
  batch->examples.push_back(std::move(prepared));
  return true;
}

// What the record's first example has decoded already. Of a frozen encoder it is the features that
// are looked up, one by one.
bool BatchLoader::TakeOver(const MediaInput& input, const RowExample& row,
                           const TrainingBatch& batch, PreparedMedia* media) const {
  if (row.first >= batch.examples.size() || options_.frozen.count(input.modality) > 0) return false;
  const PreparedExample& first = batch.examples[row.first];
  for (size_t i = 0; i < first.media.size(); ++i) {
    const MediaInput& there = first.example.media[i];
    const bool is_same = there.modality == input.modality && there.media.path == input.media.path &&
                         there.media.name == input.media.name &&
                         there.media.bytes == input.media.bytes;
    if (!is_same) continue;
    *media = first.media[i];
    return true;
  }
  return false;
}

absl::Status BatchLoader::PrepareMedia(const MediaInput& input, bool augment, uint64_t seed,
                                       const std::string& place, size_t row, size_t media_index,
                                       PreparedMedia* media, TrainingBatch* batch) const {
  media->modality = input.modality;
  UNIVAL_ASSIGN_OR_RETURN(Modality * modality, options_.model->RequireModality(input.modality));
  RawSample raw{input.media, augment, seed};
  auto frozen = options_.frozen.find(input.modality);
  if (frozen != options_.frozen.end()) {
    PendingFeatures pending{row, media_index, ""};
    if (frozen->second != nullptr || options_.variants > 0) {
      const Augmentation chosen = ChooseVariant(augment, options_.variants, options_.seed, seed);
      raw.augment = chosen.augment;
      raw.seed = chosen.code;
      UNIVAL_ASSIGN_OR_RETURN(
          pending.key, keys_.Key(input.media, absl::StrCat(place, " ", media_index), chosen.code));
    }
    if (frozen->second != nullptr) media->features = frozen->second->Find(pending.key);
    if (media->features) {
      ++batch->cache_hits;
      return absl::OkStatus();
    }
    batch->pending.push_back(std::move(pending));
  }
  absl::StatusOr<PreprocessedSample> sample = CatchTorch(
      absl::StrCat("preprocess ", input.modality), [&] { return modality->Preprocess(raw); });
  if (!sample.ok()) return sample.status();
  media->sample = *std::move(sample);
  return absl::OkStatus();
}

}  // namespace unival
