// unival: trainer.h
//
// Runs a training plan: what moves is what the plan says, everything else is proven to have stayed
// the same.
//
//   TrainOptions options;
//   options.plan_file = "recipes/depth_adapter.textproto";
//   options.output = "runs/depth";
//   UNIVAL_ASSIGN_OR_RETURN(TrainResult result, Train(options, *runtime));
//   result.evaluations["depth_caption"].metrics["exact_match"]
//
// The output folder then holds:
//
//   plan.textproto, run.json      the plan as run; identity of plan, base model and data
//   log.jsonl, checkpoint/        progress, and what a resumed run goes on from
//   model/, receipt.json          the trained model directory, and the proof of what changed
//   results.json, results/NAME.jsonl   metrics, and the answers of each evaluation
//   cache/                        features of frozen encoders, unless another folder is given
//
// A run may be killed at any time; with `resume` it goes on from its last checkpoint and ends with
// the same weights to the bit (same machine, same thread count): every random draw is a function of
// the plan's seed and of the place of the draw.
#ifndef UNIVAL_TRAINING_TRAINER_H_
#define UNIVAL_TRAINING_TRAINER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/runtime.h"
#include "training/config/plan.h"
#include "training/data/files/index_options.h"
#include "training/evaluation/evaluate.h"
#include "training/run/progress.h"

namespace unival {

class World;

struct TrainOptions {
  std::string plan_file;
  // Instead of a file; `plan_file` then only names the plan in messages and sets the folder of
  // relative paths.
  const TrainingPlan* plan = nullptr;
  std::string data_root;  // empty: the plan's folder
  std::string output;
  bool resume = false;
  // Reads every byte that records are made of before the first step, and trusts no index. A new run
  // records what it finds; a resumed run compares it with what the run recorded when it began.
  bool verify_data = false;
  IndexOptions index;  // of big data files
  PlanOverrides overrides;
  std::string device = "cpu";
  std::string cache_dir;  // of encoder features; empty: OUTPUT/cache
  // Most megabytes (10^6 bytes) that all caches in that folder take together; none: no limit. The
  // limit changes neither losses nor weights, to the bit.
  absl::optional<int> cache_limit_mb;
  int loader_threads = 1;
  bool quiet = false;  // no progress on stderr; warnings stay
  // Called after every log_every steps.
  std::function<void(const ProgressRecord&)> progress;
  // Checkpoint and return after this many steps of all stages; 0: never.
  int64_t stop_after_step = 0;
  // Set by a signal handler: checkpoint and return after the current step.
  const std::atomic<bool>* stop = nullptr;
  // The processes that share this run (training/distributed/world.h), each with the same options;
  // null: this one alone. A step then has the rows of all of them, `output` is one folder that all
  // can read, process 0 writes it, and the others return when the last step is done.
  World* world = nullptr;
};

struct TrainResult {
  bool finished = false;  // false: stopped, to be resumed
  int64_t steps = 0;
  double final_loss = 0;
  int64_t skipped_batches = 0;  // left out, as their loss is infinite or not a number
  double seconds = 0;           // training only, over all resumptions
  double steps_per_second = 0;
  double peak_memory_mb = 0;
  int64_t trainable_scalars = 0;
  int64_t frozen_changed = 0;
  int64_t encoder_calls = 0;
  int64_t cache_hits = 0;
  std::map<std::string, EvaluationResult> evaluations;
};

// Errors name file, field, expected, actual and remedy. InvalidArgument: the plan or the data;
// FailedPrecondition: output not empty, another plan or other data on resume, missing plugin;
// NotFound: files, tasks, modalities; OutOfRange: the loss is not a number (IsNonFinite of
// training/run/non_finite.h), or more than 1 % of the media cannot be decoded (nothing is
// overwritten then).
absl::StatusOr<TrainResult> Train(const TrainOptions& options, const Runtime& runtime);

}  // namespace unival

#endif  // UNIVAL_TRAINING_TRAINER_H_
