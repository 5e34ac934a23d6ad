// unival: run_setup.h - from a plan to a model, opened sources and the checks that need both.
#ifndef UNIVAL_TRAINING_RUN_RUN_SETUP_H_
#define UNIVAL_TRAINING_RUN_RUN_SETUP_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/pipeline.h"
#include "runtime/runtime.h"
#include "training/config/plan.h"
#include "training/run/batch_loader.h"

namespace unival {

// `status` with the plan's file and field before its message.
absl::Status AtField(const LoadedPlan& plan, const std::string& field, const absl::Status& status);

struct BuiltModel {
  std::unique_ptr<Model> model;
  std::set<std::string> fresh;  // tensors that are not the base model's
  // Model::BackboneHash of the base model; empty where nothing of its backbone is left.
  std::string parent_backbone_sha256;
};

// Loads or draws the model that a plan starts from, with its new modalities. Deterministic in the
// plan's seed.
absl::StatusOr<BuiltModel> BuildModel(const LoadedPlan& plan, const Runtime& runtime,
                                      const std::string& device);

// The template files of a plan, found.
std::vector<std::string> TemplateFiles(const LoadedPlan& plan);
// The plan itself, and what it names: the model's files, template sets, a tokenizer, weights. Its
// data is not among them: see output_check.h.
std::vector<std::string> FilesOfPlan(const LoadedPlan& plan);

// The data of a whole run.
struct RunData {
  std::vector<std::unique_ptr<Source>> opened;
  std::vector<std::vector<StageSource>> stages;  // per stage, per source
  std::vector<const Source*> evaluations;
};

// "FILE: what it is and the remedy" of data files that may not be whole.
std::vector<std::string> DataWarnings(const RunData& data);

// Closes the files of sources of all stages but `stage`; they are opened again when somebody reads
// them, and refused where they hold something else by then. Errors of files that cannot be read.
absl::Status CloseOtherStages(const RunData& data, int stage);

// Opens every source and evaluation and checks it against its task and the model: the task exists,
// its modalities are loaded, its columns stand in the first record, its patterns of trainable
// tensors select something; and, unless that was found when the run began (`is_checked`), all
// records fit the task and the media of the first one the position grid. `index`: of big files.
absl::StatusOr<RunData> OpenRunData(const LoadedPlan& plan, const Pipeline& pipeline,
                                    const Model& model, bool is_checked, const IndexOptions& index);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RUN_SETUP_H_
