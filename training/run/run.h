// unival: run.h - the state of one training run that its stages share, and where its files are.
#ifndef UNIVAL_TRAINING_RUN_RUN_H_
#define UNIVAL_TRAINING_RUN_RUN_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "runtime/pipeline.h"
#include "sdk/base/folder_lock.h"
#include "sdk/base/progress.h"
#include "training/config/plan.h"
#include "training/data/cache/media_keys.h"
#include "training/distributed/world.h"
#include "training/run/checkpoint.h"
#include "training/run/progress.h"
#include "training/run/receipt.h"
#include "training/run/run_setup.h"
#include "training/trainer.h"

namespace unival {

// Single-threaded.
struct Run {
  Run(const TrainOptions& options, const Runtime& runtime)
      : options(options), runtime(runtime), printer(PrinterOptions(options)) {}

  // One process speaks for all.
  static ProgressOptions PrinterOptions(const TrainOptions& options) {
    ProgressOptions printer;
    printer.warnings = options.world == nullptr || options.world->is_first();
    printer.quiet = options.quiet || !printer.warnings;
    return printer;
  }

  std::string Path(const std::string& name) const { return options.output + "/" + name; }

  const TrainOptions& options;
  FolderLock lock;  // on the output folder
  const Runtime& runtime;
  LoadedPlan plan;
  std::vector<SharedTemplateSet> templates;  // of the plan's files, as read when the run began
  std::unique_ptr<Model> model;
  std::unique_ptr<Pipeline> pipeline;
  RunData data;
  std::vector<TensorHash> before;  // the model as training found it
  std::set<std::string> fresh;
  std::string parent_backbone_sha256;  // of the base model; empty where its backbone is not used
  std::map<std::string, at::Tensor> initial_buffers;
  MediaKeys media_keys;
  RunState state;
  RunLog log;
  ProgressLine printer;
  bool stopped = false;

  // Of this process among those that share the run, and how many they are.
  int Rank() const { return options.world == nullptr ? 0 : options.world->rank(); }
  int Processes() const { return options.world == nullptr ? 1 : options.world->size(); }
  // The process that writes files and speaks; the only one, unless several share the run.
  bool IsFirst() const { return options.world == nullptr || options.world->is_first(); }

  // Steps of all stages: those that were taken where a stage has ended, those planned elsewhere.
  int64_t TotalSteps() const {
    int64_t steps = 0;
    for (int i = 0; i < plan.proto.stage_size(); ++i) {
      const bool has_ended = static_cast<size_t>(i) < state.finished.size();
      steps += has_ended ? state.finished[static_cast<size_t>(i)] : plan.proto.stage(i).steps();
    }
    return steps;
  }
};

// Steps of PrepareRun that others need too: reads, completes and checks the plan; makes its model,
// templates and pipeline, without data.
absl::Status LoadRunPlan(Run* run);
absl::Status BuildRun(Run* run);
// Copies the model's tensors of a checkpoint into the run's model.
absl::Status RestoreModel(const Run& run, const std::map<std::string, at::Tensor>& saved);

// Everything before the first step: plan, output folder, model, data, identity, and the checkpoint
// to go on from. When the run was stopped inside a stage, `optimizer_state` receives the tensors of
// that stage's optimizer, under the names that StageRun gave them.
absl::Status PrepareRun(Run* run, std::map<std::string, at::Tensor>* optimizer_state);

// Writes a checkpoint of the run: tensors that differ from the start, and `optimizer_state` of the
// stage at work. In OUTPUT/checkpoint, of which the stage's `keep_last` stay, or OUTPUT/best, where
// one does.
enum class CheckpointKind { kLast, kBest };
absl::Status SaveRun(const Run& run, const std::map<std::string, at::Tensor>& optimizer_state,
                     CheckpointKind kind = CheckpointKind::kLast);

// Saves the run's model into `directory`, and writes the receipt of it into `file`. Internal where
// a frozen tensor changed; the receipt is written all the same. `unfinished`: how far the run was,
// where it is not finished; the model's lineage says so too.
absl::Status SaveModel(const Run& run, const absl::optional<UnfinishedRun>& unfinished,
                       const std::string& directory);
absl::StatusOr<Receipt> WriteReceipt(const Run& run, const std::vector<TensorHash>& after,
                                     const absl::optional<UnfinishedRun>& unfinished,
                                     const std::string& file);

// Saves the model, writes receipt and results, runs the evaluations.
absl::Status FinishRun(Run* run, TrainResult* result);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RUN_H_
