// unival: checkpoint.h
//
// The state of an unfinished run: how far it is, and every tensor that differs from the model it
// started with. One folder per checkpoint, OUTPUT/checkpoint/STEP, complete from the moment it has
// that name; those before are removed afterwards.
//
//   UNIVAL_RETURN_IF_ERROR(SaveCheckpoint("run/checkpoint", state, tensors));
//   UNIVAL_ASSIGN_OR_RETURN(absl::optional<Checkpoint> last, LoadCheckpoint("run/checkpoint"));
#ifndef UNIVAL_TRAINING_RUN_CHECKPOINT_H_
#define UNIVAL_TRAINING_RUN_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

// What the names of a checkpoint's tensors begin with: the model's, by their full names; the
// optimizer's of the stage at work, and among these a moving average of the model's.
inline constexpr char kModelPrefix[] = "model.", kOptimizerPrefix[] = "optimizer.",
                      kAveragePrefix[] = "average.";

// Counts over the whole run.
struct RunTotals {
  int64_t rows = 0;
  int64_t tokens = 0;
  int64_t decode_failures = 0;
  int64_t encoder_calls = 0;
  int64_t cache_hits = 0;
  double seconds = 0;
  int64_t skipped = 0;  // micro-batches and updates that were no finite numbers
  // By stage and source, with those that could not be decoded.
  std::map<std::string, std::map<std::string, int64_t>> source_rows;
};

// What the validations of a stage found so far.
struct ValidationState {
  std::string judge;  // "EVALUATION/METRIC"; another one begins anew
  bool any = false;   // whether `best` is one
  double last = 0;    // of the judge's metric
  double best = 0;
  int64_t best_step = 0;  // of all stages
  int64_t worse = 0;      // validations since then
};

// Sums over the steps since the last record of the log, which a resumed run goes on from.
struct LogWindow {
  double loss = 0;
  int64_t batches = 0, tokens = 0, correct = 0;
  double seconds = 0;                                           // before this process
  std::map<std::string, double> part_seconds;                   // part_times.h
  std::map<std::string, std::pair<double, int64_t>> by_source;  // loss and micro-batches
};

struct RunState {
  std::string run;         // which run it is of (RunKey); empty in checkpoints of before
  int stage = 0;           // index; the number of stages when training is done
  int64_t stage_step = 0;  // finished steps of that stage
  int64_t step = 0;        // finished steps of all stages
  std::string sampler;     // of that stage; empty before its first step
  RunTotals totals;
  double last_loss = 0;
  LogWindow window;
  std::set<std::string> trained;  // names that some stage moved so far
  std::vector<int64_t> finished;  // steps that each finished stage took
  std::vector<std::string> ends;  // what ended it: "steps", "patience" or "target"
  ValidationState validation;     // of the stage at work
  // Sources of that stage that a plateau unlocked, with the step of the stage.
  std::map<std::string, int64_t> unlocked;
};

struct Checkpoint {
  RunState state;
  std::map<std::string, at::Tensor> tensors;  // on the CPU, owned
};

// The newest `keep` checkpoints stay, this one among them. ResourceExhausted or Internal names the
// file; an earlier checkpoint then still stands. What is no checkpoint stays too.
absl::Status SaveCheckpoint(const std::string& directory, const RunState& state,
                            const std::map<std::string, at::Tensor>& tensors, int keep = 1);

// The newest complete checkpoint; none when there is no folder or none in it. DataLoss for a
// damaged one, and for one that lies under the name of another step.
absl::StatusOr<absl::optional<Checkpoint>> LoadCheckpoint(const std::string& directory);
// That of one step. NotFound lists the steps that there are.
absl::StatusOr<Checkpoint> LoadCheckpointOf(const std::string& directory, int64_t step);
// Of all complete ones, in order.
std::vector<int64_t> CheckpointSteps(const std::string& directory);

// Removes all but the newest `keep` complete checkpoints, for a run that goes on: one that was
// killed between the new one's name and the old one's removal left both, and may finish without
// another. What is no checkpoint stays.
void RemoveEarlierCheckpoints(const std::string& directory, int keep = 1);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_CHECKPOINT_H_
