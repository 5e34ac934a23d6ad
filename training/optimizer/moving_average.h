// unival: moving_average.h
//
// Exponential moving average of weights and buffers, kept in float32.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto average, MovingAverage::Create({0.9999}, tensors));
//   average->Update(finished_updates);            // after every optimizer step
//   average->Swap();                              // evaluate with the average, then Swap() back
//
// Floating-point tensors: average = decay * average + (1 - decay) * value; all others are copied.
// Below `start_update` the decay is zero, so the average equals the weights.
#ifndef UNIVAL_TRAINING_OPTIMIZER_MOVING_AVERAGE_H_
#define UNIVAL_TRAINING_OPTIMIZER_MOVING_AVERAGE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/optimizer/named_tensor.h"

namespace unival {

struct MovingAverageConfig {
  double decay = 0.9999;
  int64_t start_update = 0;
};

// Single-threaded. Shares `tensors` with their owner.
class MovingAverage {
 public:
  // Starts from the present values. InvalidArgument unless decay is in [0, 1).
  static absl::StatusOr<std::unique_ptr<MovingAverage>> Create(const MovingAverageConfig& config,
                                                               std::vector<NamedTensor> tensors);

  // `update`: number of the update just finished, 1 for the first.
  void Update(int64_t update);
  // Exchanges the values of tensors and average.
  void Swap();

  // The average by name, floating-point tensors as float32. Shares memory.
  TensorState State() const;
  // Takes over a copy. InvalidArgument names what is missing, surplus, or of another shape.
  absl::Status LoadState(const TensorState& state);

 private:
  MovingAverage(const MovingAverageConfig& config, std::vector<NamedTensor> tensors);

  const MovingAverageConfig config_;
  std::vector<NamedTensor> tensors_;
  std::vector<at::Tensor> averages_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_MOVING_AVERAGE_H_
