// unival: gradient_sum.h - gradients summed over all processes while backward still runs.
//
//   GradientSum sum(world, parameters);
//   for (micro-batches) { if (last) sum.Begin(); loss.backward(); }
//   UNIVAL_RETURN_IF_ERROR(sum.Finish());       // each gradient is now the sum of all processes'
//
// Parameters lie in buckets, those that backward reaches first in the first ones. A bucket leaves
// when all of its gradients are there and all buckets before it have left, so that every process
// sends them in one order.
//
// c10d's own reducer is not used: it means over processes, where a step here weighs each process by
// its tokens before backward; it marks parameters without a gradient by walking the graph of each
// forward pass; and its C++ interface is another one in each release of libtorch.
#ifndef UNIVAL_TRAINING_DISTRIBUTED_GRADIENT_SUM_H_
#define UNIVAL_TRAINING_DISTRIBUTED_GRADIENT_SUM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "runtime/named_tensor.h"
#include "training/distributed/world.h"

namespace unival {

// Single-threaded, as backward on a CPU is.
class GradientSum {
 public:
  // `world` outlives it. The same parameters in the same order in all processes. A bucket is sent
  // when it has `bucket_bytes`.
  GradientSum(World* world, const std::vector<NamedTensor>& parameters,
              int64_t bucket_bytes = int64_t{4} << 20);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  // The next backward is the last of this step: its gradients leave as they come.
  void Begin();
  // Sends what has not left, waits for all, and puts the sums in place. A parameter that no process
  // has a gradient of has none afterwards; one that another process has a gradient of gets it.
  absl::Status Finish();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the hooks in the graph
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DISTRIBUTED_GRADIENT_SUM_H_
