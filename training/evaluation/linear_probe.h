// unival: linear_probe.h
//
// Trains a linear classifier on the features of one encoder, without the language model, and
// measures it. A trained connection is a linear map of the same features, so this accuracy says how
// much of the answer a linear map can find in them at all. The class of a record is its target
// text.
//
//   UNIVAL_ASSIGN_OR_RETURN(ProbeResult probe,
//                           LinearProbe(*pipeline, "spoken_digit", *train, *test, {}));
//   probe.pooled.accuracy
#ifndef UNIVAL_TRAINING_EVALUATION_LINEAR_PROBE_H_
#define UNIVAL_TRAINING_EVALUATION_LINEAR_PROBE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/pipeline.h"
#include "training/data/read/source.h"

namespace unival {

struct ProbeOptions {
  int batch = 64;            // records encoded together
  double l2 = 1e-3;          // weight of half the squared norm of the classifier's weights
  int max_iterations = 200;  // of L-BFGS over all records
  int64_t most_records = 0;  // of each source, spread over it; 0: all
  std::function<void(int64_t done, int64_t total)> progress;
};

struct ProbeScore {
  double accuracy = 0;   // [0, 1], on the test records
  int64_t features = 0;  // inputs of the classifier
};

struct ProbeResult {
  int64_t classes = 0, train_records = 0, test_records = 0;
  ProbeScore pooled;  // mean over a sample's positions
  // All positions side by side; absent where samples differ in their number.
  absl::optional<ProbeScore> joined;
};

// The task must take one media item a record. Errors: those of the task and its media;
// FailedPrecondition when the training records have fewer than two classes. A test record of
// another class, or whose media cannot be read, counts as wrong; an unreadable training record is
// left out; OutOfRange when more than kMaxUnreadableShare are. Single-threaded like Pipeline.
absl::StatusOr<ProbeResult> LinearProbe(Pipeline& pipeline, const std::string& task,
                                        const Source& train, const Source& test,
                                        const ProbeOptions& options);

// Multinomial logistic regression on standardised features, fitted by L-BFGS in float64: the
// predicted classes, int64 [M], of `test` [M, F] after `train` [N, F] with `labels` int64 [N] in
// [0, classes).
at::Tensor FitAndClassify(const at::Tensor& train, const at::Tensor& labels, int64_t classes,
                          const at::Tensor& test, const ProbeOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_LINEAR_PROBE_H_
