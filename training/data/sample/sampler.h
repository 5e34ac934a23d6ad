// unival: sampler.h
//
// Balanced sampling over several sources: which source each micro-batch comes from, and which of
// its records. A pure function of (seed, how many batches were drawn), so a run that stops and
// resumes sees the same samples.
//
//   SamplerOptions options;
//   options.seed = 7;
//   options.sources = {{"caption", 20000, 1.0, 0, 64}, {"vqa", 50000, 0.5, 1000, 64}};
//   UNIVAL_ASSIGN_OR_RETURN(BalancedSampler sampler, BalancedSampler::Create(options));
//   MicroBatch batch = sampler.Next(step);
//
// Balance: with every micro-batch each unlocked source earns its share of one batch, and the source
// with the most credit delivers the batch and pays for it. So after n batches every source is
// within one batch of its share, and not only on average. Order inside a source: epoch after epoch,
// each a seeded permutation; every record once per epoch.
//
// With `mixed_rows`, rows take the place of batches: each row of a micro-batch comes from the
// source with the most credit, so that after n rows every source is within one row of its share.
#ifndef UNIVAL_TRAINING_DATA_SAMPLE_SAMPLER_H_
#define UNIVAL_TRAINING_DATA_SAMPLE_SAMPLER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

struct SamplerSource {
  std::string name;
  int64_t size = 0;   // records
  double weight = 1;  // share of micro-batches, relative to the other unlocked sources; 0: none
  int64_t unlock_step = 0;  // first step that may draw from it
  int64_t batch = 0;        // rows of a micro-batch on one rank; without mixed_rows
};

struct SamplerOptions {
  std::vector<SamplerSource> sources;
  uint64_t seed = 0;
  // Above 0: rows of a micro-batch on one rank, from all sources. 0: each is of one source.
  int64_t mixed_rows = 0;
  // Data-parallel: every rank draws the same source, and its own slice of the world's rows.
  int rank = 0;
  int world_size = 1;
};

struct MicroBatch {
  int source = 0;                    // of the first row, index into SamplerOptions::sources
  int64_t epoch = 0;                 // of the first row
  std::vector<int> sources;          // of each row
  std::vector<int64_t> indices;      // records
  std::vector<uint64_t> seeds;       // one per row, for paraphrases, masking and augmentation
  std::vector<int64_t> source_rows;  // of all ranks, by source
};

// Thread-compatible.
class BalancedSampler {
 public:
  // InvalidArgument names the source and the field: empty source, weight < 0, batch <= 0, nothing
  // of a weight above 0 unlocked at step 0.
  static absl::StatusOr<BalancedSampler> Create(const SamplerOptions& options);

  // The next micro-batch of optimizer step `step`.
  MicroBatch Next(int64_t step);

  // The state as JSON, and back. Restore: InvalidArgument when the state belongs to other sources
  // or another seed, naming both. Another number of processes continues after the rows that were
  // drawn: no row twice, none left out.
  std::string Save() const;
  absl::Status Restore(absl::string_view state);

  // Lets the source take part from `step` on, in place of its own unlock_step. Save and Restore use
  // the new value from then on.
  void Unlock(int source, int64_t step) { options_.sources[source].unlock_step = step; }

  // Rows drawn so far from a source, over all ranks.
  int64_t drawn(int source) const { return counters_[source].drawn; }

 private:
  struct Counter {
    double credit = 0;
    int64_t drawn = 0;
  };

  explicit BalancedSampler(SamplerOptions options);
  int Choose(int64_t step);
  void DrawFromOne(int64_t step, MicroBatch* batch);
  void DrawFromAll(int64_t step, MicroBatch* batch);
  // Row `row` of all that the source ever gives.
  void AddRow(int source, int64_t row, MicroBatch* batch) const;

  SamplerOptions options_;
  std::vector<Counter> counters_;
};

// Where element `position` of [0, size) goes under the permutation of `key`. Needs no memory.
int64_t PermutedIndex(int64_t position, int64_t size, uint64_t key);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_SAMPLE_SAMPLER_H_
