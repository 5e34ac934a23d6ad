// unival: running_statistics.h - the normalisation layers of an encoder that keep running
// statistics, and the mean of these over batches.
#ifndef UNIVAL_TRAINING_MERGING_RUNNING_STATISTICS_H_
#define UNIVAL_TRAINING_MERGING_RUNNING_STATISTICS_H_

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// The running statistics of one encoder, whose module must outlive this. For one thread.
class RunningStatistics {
 public:
  // Finds every module beneath `encoder` that itself has the buffers running_mean and running_var.
  // A layer's name is `prefix` followed by its path: "modality.image." gives "modality.image.bn1.".
  RunningStatistics(torch::nn::Module& encoder, const std::string& prefix);

  bool empty() const { return layers_.empty(); }
  int64_t batches() const { return batches_; }

  // Adds one batch. `forward` passes it through the encoder; it is called twice for a batch that is
  // the first to reach some layer, to find out that layer's momentum. The layers' statistics are
  // overwritten. FailedPrecondition names a layer that is reached and whose statistics do not move.
  absl::Status AddBatch(const std::function<absl::Status()>& forward);

  // The mean over batches by full name, float. A layer that no batch reached has none.
  // InvalidArgument names a layer with values that are no numbers.
  absl::Status AddTo(std::map<std::string, at::Tensor>* means) const;

 private:
  struct Layer {
    std::string name;  // "modality.image.bn1."
    std::shared_ptr<torch::nn::Module> module;
    at::Tensor mean, variance;          // the live buffers, [C]
    at::Tensor count;                   // num_batches_tracked; undefined where there is none
    double momentum = 0;                // 0: not reached so far
    at::Tensor mean_sum, variance_sum;  // [C] double
    int64_t batches = 0;
  };

  // What the buffers hold after a pass that started at 0.
  struct BatchMoments {
    at::Tensor mean, variance;  // [C] double
    int64_t calls = 0;          // of the layer; 0: not reached
  };
  absl::Status LearnMomenta(const std::vector<BatchMoments>& from_zero,
                            const std::function<absl::Status()>& forward);
  absl::Status Pass(double start, const std::function<absl::Status()>& forward);

  std::vector<Layer> layers_;
  int64_t batches_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_MERGING_RUNNING_STATISTICS_H_
