// unival: gradient_sum.h - gradients summed over all processes while backward still runs.
//
//   GradientSum sum(world, parameters);
//   for (micro-batches) { if (last) sum.Begin(); loss.backward(); }
//   UNIVAL_RETURN_IF_ERROR(sum.Finish());       // each gradient is now the sum of all processes'
//
// Parameters are grouped into buckets, in the order in which backward reaches them. A bucket is
// sent when all of its gradients are there and all buckets before it were sent, so that every
// process sends the buckets in one order.
//
// c10d's own reducer is not used, for three reasons. It averages over processes, while a step here
// weighs each process by its tokens before backward. It finds parameters without a gradient by
// walking the graph of each forward pass. And its C++ interface differs in each release of
// libtorch.
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
  // `world` must outlive this. All processes give the same parameters in the same order. A bucket
  // is sent when it holds `bucket_bytes`.
  GradientSum(World* world, const std::vector<NamedTensor>& parameters,
              int64_t bucket_bytes = int64_t{4} << 20);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  // Call before the last backward of a step: its gradients are sent as they come.
  void Begin();
  // Sends what was not sent yet, waits for all sums, and puts them in place. Afterwards a parameter
  // has a gradient if any process had one for it, and otherwise none.
  absl::Status Finish();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the hooks in the graph
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DISTRIBUTED_GRADIENT_SUM_H_
