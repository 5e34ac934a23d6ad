// unival: merge_plan.h - a merge as data (training/merging/merge_plan.proto), read and checked.
//
//   UNIVAL_ASSIGN_OR_RETURN(const LoadedMergePlan plan, LoadMergePlan("soup.textproto", ""));
#ifndef UNIVAL_TRAINING_MERGING_MERGE_PLAN_H_
#define UNIVAL_TRAINING_MERGING_MERGE_PLAN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "backbone/merging/merge.h"
#include "training/merging/measure.h"

namespace unival {

constexpr char kGreedySoup[] = "greedy_soup";

struct LoadedMergePlan {
  MergeOptions merge;  // without output; `method` may be kGreedySoup
  absl::optional<MeasuredTask> measure;
  std::vector<ReestimationData> reestimate;
};

// Paths of models are relative to the plan's folder, those of data to `data_root` (empty: the
// plan's folder). Messages name FILE: FIELD.
absl::StatusOr<LoadedMergePlan> LoadMergePlan(const std::string& file,
                                              const std::string& data_root);

// "PATTERN=LAMBDA", as the command line says it.
absl::StatusOr<PartLambda> ParsePartLambda(const std::string& text);
// "TASK=FILE", as the command line says it.
absl::StatusOr<ReestimationData> ParseReestimationData(const std::string& text);

}  // namespace unival

#endif  // UNIVAL_TRAINING_MERGING_MERGE_PLAN_H_
