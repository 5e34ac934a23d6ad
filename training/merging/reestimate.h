// unival: reestimate.h - running statistics of a merged model, measured anew on data.
//
//   UNIVAL_ASSIGN_OR_RETURN(const MeasuredStatistics measured,
//                           ReestimateStatistics(*pipeline, {{"caption", "train.jsonl"}}, {}));
#ifndef UNIVAL_TRAINING_MERGING_REESTIMATE_H_
#define UNIVAL_TRAINING_MERGING_REESTIMATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/merging/merge.h"
#include "runtime/pipeline.h"

namespace unival {

// Records by whose media statistics are measured.
struct ReestimationData {
  std::string task;
  std::string data;                                 // FILE.jsonl or FILE.tar
  int64_t limit = 0;                                // only the first records; 0: all
  std::map<std::string, std::string> columns = {};  // task column -> record column
};

struct ReestimationOptions {
  int batch = 64;  // media items passed together; more of them than one
  std::function<void(int64_t done, int64_t total)> progress;  // over records
};

// Measures the statistics of every normalisation layer that keeps running statistics: the mean over
// batches of each batch's mean and of its unbiased variance, as Izmailov et al. ("Averaging Weights
// Leads to Wider Optima", 2018) do for averaged weights. It covers every modality whose media the
// records have; a modality's last batch counts only where it is full or the only one. The passes
// run forward, without gradients, and only those layers are in training mode: nothing is dropped,
// and the same model and records give the same numbers. The statistics of the pipeline's own model
// are overwritten: use the pipeline for nothing else.
// Errors: FailedPrecondition where the records reach no such layer, or one whose statistics do not
// move in training; InvalidArgument where a batch holds too little for a variance; OutOfRange where
// too many media cannot be read (kMaxUnreadableShare); those of sources, tasks and modalities.
absl::StatusOr<MeasuredStatistics> ReestimateStatistics(Pipeline& pipeline,
                                                        const std::vector<ReestimationData>& data,
                                                        const ReestimationOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_MERGING_REESTIMATE_H_
