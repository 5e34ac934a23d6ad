#include "training/run/stage_batches.h"

#include <map>
#include <string>
#include <utility>

#include "sdk/base/status_macros.h"
#include "training/run/part_times.h"
#include "training/run/stage_sampler.h"
#include "training/run/training_step.h"

namespace unival {

absl::StatusOr<StageBatches> StageBatches::Create(Run* run, const TrainableSet& trainable) {
  const int stage = run->state.stage;
  UNIVAL_ASSIGN_OR_RETURN(StageCaches caches, OpenStageCaches(*run, run->plan.proto.stage(stage),
                                                              run->data.stages[stage], trainable));
  return StageBatches(run, std::move(caches));
}

LoaderOptions StageBatches::OptionsOfLoader() const {
  LoaderOptions loader;
  loader.model = run_->model.get();
  loader.sources = sources();
  loader.frozen = caches_.frozen;
  loader.keys = &run_->media_keys;
  loader.variants = stage().cache().variants();
  loader.seed = run_->plan.proto.seed();
  loader.first_step = run_->state.stage_step;
  loader.end_step = stage().steps();
  loader.micro_batches = stage().micro_batches();
  loader.threads = run_->options.loader_threads;
  return loader;
}

absl::Status StageBatches::Start(const std::vector<int>& unlocking) {
  loader_.reset();
  RunState& state = run_->state;
  UNIVAL_ASSIGN_OR_RETURN(BalancedSampler sampler,
                          MakeStageSampler(run_->plan.proto, state.stage, sources(), state.unlocked,
                                           run_->Rank(), run_->Processes()));
  if (!state.sampler.empty()) UNIVAL_RETURN_IF_ERROR(sampler.Restore(state.sampler));
  for (const int source : unlocking) {
    sampler.Unlock(source, state.stage_step);
    state.unlocked[stage().source(source).name()] = state.stage_step;
  }
  if (!unlocking.empty()) state.sampler = sampler.Save();
  loader_ = std::make_unique<BatchLoader>(OptionsOfLoader(), std::move(sampler));
  return absl::OkStatus();
}

absl::StatusOr<TrainingBatch> StageBatches::Load() {
  std::map<std::string, double>& parts = run_->state.window.part_seconds;
  const PartTimer timer(&parts[kWaiting]);
  UNIVAL_ASSIGN_OR_RETURN(TrainingBatch batch, loader_->Next());
  run_->state.sampler = batch.sampler_state;
  parts[kReading] += batch.reading_seconds;
  parts[kDecoding] += batch.decoding_seconds;
  return batch;
}

absl::StatusOr<EncodedBatch> StageBatches::Next(SharedStep* shared) {
  EncodedBatch next;
  UNIVAL_ASSIGN_OR_RETURN(next.batch, Load());
  const PartTimer timer(&run_->state.window.part_seconds[kEncoder]);
  BatchCounts& counts = next.counts;
  counts.rows = next.batch.rows;
  counts.examples = static_cast<int64_t>(next.batch.examples.size());
  counts.cache_hits = next.batch.cache_hits;
  UNIVAL_RETURN_IF_ERROR(EncodePending(*run_->model, caches_.frozen, &next.batch,
                                       &counts.encoder_calls, &counts.cache_hits));
  counts.stop = run_->options.stop != nullptr && run_->options.stop->load();
  if (shared != nullptr) UNIVAL_RETURN_IF_ERROR(shared->Share(&counts, &next.batch.failures));
  return next;
}

}  // namespace unival
