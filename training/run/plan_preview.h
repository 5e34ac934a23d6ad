// unival: plan_preview.h
//
// What a plan will do, counted before anything runs: rows of every source, parameters that train
// and that stay, sizes of checkpoints, and the order of the records.
//
//   TrainOptions options;
//   options.plan_file = "recipes/depth_adapter.textproto";
//   UNIVAL_ASSIGN_OR_RETURN(const PlanPreview preview, PreviewPlan(options, *runtime, ""));
//   preview.stages[0].sources[0].rows
#ifndef UNIVAL_TRAINING_RUN_PLAN_PREVIEW_H_
#define UNIVAL_TRAINING_RUN_PLAN_PREVIEW_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/model/backbone.h"
#include "runtime/runtime.h"
#include "training/trainer.h"

namespace unival {

struct SourcePreview {
  std::string name, task, path;  // as the plan says
  int64_t unlock_step = 0;
  int64_t unlock_after_plateau = 0;  // above 0: nobody knows when; counted as if never
  int64_t records = 0;               // that take part
  int64_t micro_batches = 0;         // of the stage in which it takes part
  int64_t rows = 0;                  // what the run will log, if no validation ends the stage
  // Modalities whose items vary while it is trained on, with the model's option "augment" of each;
  // empty where that says nothing, as of a plugin.
  std::map<std::string, std::string> augment;
  double epochs() const { return static_cast<double>(rows) / static_cast<double>(records); }
};

struct PartPreview {
  std::string name;                 // "backbone", "connection.depth", "modality.depth"
  int64_t trained = 0, frozen = 0;  // scalars of parameters, each tensor once
};

struct StagePreview {
  std::string name;
  int64_t steps = 0;
  std::vector<SourcePreview> sources;
  std::vector<PartPreview> parts;
  int64_t trained_tensors = 0;
  // Bytes of the tensors of a checkpoint inside the stage, at most: of a parameter that no loss has
  // reached yet the optimizer keeps nothing. The file's header comes on top.
  int64_t checkpoint_bytes = 0;
  int64_t validations = 0;
  DropoutRates dropout;  // while it trains
  bool activation_checkpointing = false;
  // "token", "row" or "source" where micro-batches have rows of several sources, else empty.
  std::string mixed_loss_mean;

  int64_t rows() const;
  int64_t trained() const;
  int64_t frozen() const;
};

struct EvaluationPreview {
  std::string name, task, path;
  int64_t records = 0;
};

struct PlanPreview {
  std::string plan;  // its name
  std::vector<StagePreview> stages;
  std::vector<EvaluationPreview> evaluations;
  int64_t model_bytes = 0;  // of the tensors, as the model directory will hold them
};

// Makes every check that a run makes before its first step; trains nothing and writes nothing but
// `dry_run_file`, where that is not empty: a JSON object for each row of the run, in its order,
// which is the same for any number of loader threads. `options.output` is not looked at. Errors:
// those of Train before its first step.
absl::StatusOr<PlanPreview> PreviewPlan(const TrainOptions& options, const Runtime& runtime,
                                        const std::string& dry_run_file);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_PLAN_PREVIEW_H_
