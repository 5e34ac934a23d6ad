// unival: greedy_soup.h - the average of those models that make it no worse (Wortsman et al.,
// "Model soups", 2022, recipe 1).
#ifndef UNIVAL_TRAINING_MERGING_GREEDY_SOUP_H_
#define UNIVAL_TRAINING_MERGING_GREEDY_SOUP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/merging/merge.h"
#include "training/merging/measure.h"

namespace unival {

struct SoupStep {
  size_t model = 0;     // index into MergeOptions::models
  double alone = 0;     // what this model measures by itself
  double together = 0;  // what the average measures with it
  bool taken = false;
};

struct GreedySoup {
  std::vector<SoupStep> steps;      // best model first; of equal ones the first named
  std::vector<size_t> ingredients;  // of the average
  double value = 0;                 // what it measures
};

// Ranks the models of `merge` by the measurer's one task and adds one after the other to a uniform
// average, where that does not make the metric worse. Nothing is written but the measurer's
// candidates.
absl::StatusOr<GreedySoup> FindGreedySoup(const MergeOptions& merge, Measurer& measurer);

// What MergeModels makes the soup of.
MergeOptions SoupMerge(const MergeOptions& merge, const std::vector<size_t>& ingredients);

}  // namespace unival

#endif  // UNIVAL_TRAINING_MERGING_GREEDY_SOUP_H_
