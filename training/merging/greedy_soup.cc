#include "training/merging/greedy_soup.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {

MergeOptions SoupMerge(const MergeOptions& merge, const std::vector<size_t>& ingredients) {
  // All models stay in it, so that the lineage says what was tried; those left out weigh nothing.
  MergeOptions soup = merge;
  soup.method = "average";
  soup.weights.assign(merge.models.size(), 0);
  for (size_t model : ingredients) soup.weights[model] = 1;
  return soup;
}

absl::StatusOr<GreedySoup> FindGreedySoup(const MergeOptions& merge, Measurer& measurer) {
  if (measurer.tasks().size() != 1) {
    return FieldError("measure", "one task", measurer.tasks().size());
  }
  if (merge.lambda || !merge.parts.empty() || !merge.weights.empty()) {
    return FieldError("method greedy_soup", "no lambda, part or weight", "one of them",
                      "its average is uniform");
  }
  if (merge.models.empty()) return FieldError("models", "at least one", "none");
  UNIVAL_RETURN_IF_ERROR(measurer.CheckTasks(merge.models));
  GreedySoup soup;
  for (size_t model = 0; model < merge.models.size(); ++model) {
    UNIVAL_ASSIGN_OR_RETURN(const auto alone,
                            measurer.MeasureMerge(SoupMerge(merge, {model}), merge.models[model]));
    soup.steps.push_back({model, alone[0]});
  }
  const MeasuredTask& task = measurer.tasks()[0];
  std::stable_sort(soup.steps.begin(), soup.steps.end(), [&](const SoupStep& a, const SoupStep& b) {
    return MeritOf(task, a.alone) > MeritOf(task, b.alone);
  });
  for (SoupStep& step : soup.steps) {
    std::vector<size_t> tried = soup.ingredients;
    tried.push_back(step.model);
    step.together = step.alone;
    if (tried.size() > 1) {
      UNIVAL_ASSIGN_OR_RETURN(
          const auto together,
          measurer.MeasureMerge(
              SoupMerge(merge, tried),
              absl::StrCat("average of ", tried.size(), " with ", merge.models[step.model])));
      step.together = together[0];
    }
    step.taken =
        soup.ingredients.empty() || MeritOf(task, step.together) >= MeritOf(task, soup.value);
    if (!step.taken) continue;
    soup.ingredients = tried;
    soup.value = step.together;
  }
  return soup;
}

}  // namespace unival
