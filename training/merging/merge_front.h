// unival: merge_front.h - what two models are worth together for every lambda of a grid, and which
// lambda to take.
#ifndef UNIVAL_TRAINING_MERGING_MERGE_FRONT_H_
#define UNIVAL_TRAINING_MERGING_MERGE_FRONT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "backbone/merging/merge.h"
#include "training/merging/measure.h"

namespace unival {

struct FrontPoint {
  double lambda = 0;
  std::vector<double> values;  // of the tasks' metrics
  bool is_pareto = false;      // no other point is as good in all tasks and better in one
  bool meets_floors = true;
};

struct MergeFront {
  std::vector<MeasuredTask> tasks;  // with the metrics that were taken
  std::vector<FrontPoint> points;   // by lambda, from 0 to 1
  // The point to take. Only points that meet all floors count; of these it is the one with the
  // largest mean over tasks, where a metric of which less is better counts negative; of equal ones
  // the one nearest to lambda 0.5. Nothing where no point meets the floors.
  absl::optional<size_t> chosen;
};

// Measures `points` values of lambda from 0 (the second model) to 1 (the first). `floors`: by task,
// the worst value of its metric that is acceptable: the least one, or the largest one where less is
// better. InvalidArgument: fewer than two points, or a floor of a task that is not measured.
absl::StatusOr<MergeFront> MeasureFront(const MergeOptions& merge, int points,
                                        const std::map<std::string, double>& floors,
                                        Measurer& measurer);

// Marks the Pareto set and the floors, and chooses.
void JudgeFront(const std::map<std::string, double>& floors, MergeFront* front);

std::string FrontCsv(const MergeFront& front);
std::string FrontSvg(const MergeFront& front);
// "caption exact_match", "speech wer"
std::string MetricName(const MeasuredTask& task);
// The same with what is to be said of the score: "speech wer (less is better)"
std::string LabelOf(const MeasuredTask& task);

}  // namespace unival

#endif  // UNIVAL_TRAINING_MERGING_MERGE_FRONT_H_
