// unival: plan.h
//
// A training run as data (docs/formats/plan.md): reading it and
// checking all that can be checked before a model is loaded.
//
//   UNIVAL_ASSIGN_OR_RETURN(LoadedPlan plan, LoadPlan("recipes/depth_adapter.textproto"));
//   UNIVAL_RETURN_IF_ERROR(CheckPlan(plan));
//
// Every message has the form "FILE: FIELD: expected ..., got ...; remedy".
#ifndef UNIVAL_TRAINING_CONFIG_PLAN_H_
#define UNIVAL_TRAINING_CONFIG_PLAN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "runtime/runtime.h"
#include "training/config/plan.pb.h"

namespace unival {

struct LoadedPlan {
  std::string file;       // as given; what messages call the plan
  std::string directory;  // model, tokenizer and template paths are relative to it
  std::string data_root;  // source and evaluation paths are relative to it
  TrainingPlan proto;
};

struct PlanOverrides {
  int64_t steps = 0;  // of every stage; unlock steps move in proportion. 0: as planned
  absl::optional<uint64_t> seed;
};

// Reads a plan; syntax errors and unknown fields are reported as FILE:LINE:COLUMN. `data_root`
// empty: the plan's folder.
absl::StatusOr<LoadedPlan> LoadPlan(const std::string& file, const std::string& data_root = "");

// Fills in what may be left out (names, step counts of 0, betas) and applies `overrides`.
// Idempotent. Receipts state the hash of a resolved plan's text, so what is filled in never grows:
// fields that came later have their defaults below.
void ResolvePlan(const PlanOverrides& overrides, TrainingPlan* plan);

std::string OptimizerNameOf(const OptimizerPlan& plan);  // "adamw" where the plan names none
double LogEnd(const LossPlan& plan);                     // 1 where the plan says nothing
int64_t MaxSkipped(const Stage& stage);                  // 5 where the plan says nothing

// Checks values, cross-references and the presence of files. InvalidArgument or NotFound.
absl::Status CheckPlan(const LoadedPlan& plan);

// FailedPrecondition when a plugin that the plan lists is not loaded, with the reason where one was
// tried.
absl::Status CheckPlugins(const LoadedPlan& plan, const Runtime& runtime);

// `path` itself if absolute, otherwise below `directory`.
std::string JoinPath(const std::string& directory, const std::string& path);

// "FILE: FIELD: expected EXPECTED, got ACTUAL; REMEDY"
absl::Status PlanError(const LoadedPlan& plan, absl::string_view field, absl::string_view expected,
                       absl::string_view actual, absl::string_view remedy);

// "stage[0].source[2]"
std::string SourceField(int stage, int source);

// Whether a run that was recorded with one plan may go on with another. FailedPrecondition names
// each field that differs and may not. What changes nothing about the weights may (evaluations, how
// often to log, to validate and to checkpoint), and so may what ends a stage: more steps, patience,
// max_skipped.
absl::Status CheckSamePlan(const TrainingPlan& recorded, const TrainingPlan& given);

}  // namespace unival

#endif  // UNIVAL_TRAINING_CONFIG_PLAN_H_
