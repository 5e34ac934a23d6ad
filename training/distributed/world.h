// unival: world.h - the processes that train one model together, and what they tell each other.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto world, World::Connect(config));
//   UNIVAL_RETURN_IF_ERROR(world->Sum(gradient));      // the same sum, to the bit, in all of them
//
// Over c10d with Gloo, which every libtorch for Linux has. All processes must make the same calls
// in the same order. When one process has failed or ended, the calls of all others fail: with that
// process's own message where it left one (Fail), and within moments where its connection breaks.
#ifndef UNIVAL_TRAINING_DISTRIBUTED_WORLD_H_
#define UNIVAL_TRAINING_DISTRIBUTED_WORLD_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/distributed/world_config.h"

namespace unival {

// A sum on its way. Movable.
class PendingSum {
 public:
  struct Impl;
  explicit PendingSum(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  // Waits until the tensor holds the sum. To be called once.
  absl::Status Wait();

 private:
  std::shared_ptr<Impl> impl_;
};

// Belongs to one thread. Errors of all calls: Aborted with "process R of N failed: MESSAGE";
// Unavailable when a process ended without a word or none answered in time.
class World {
 public:
  // Waits until all have come, `wait_seconds` at most; later calls wait `call_seconds` for each
  // other, as one may be writing files or evaluating. Unimplemented for a libtorch without Gloo.
  static absl::StatusOr<std::unique_ptr<World>> Connect(const WorldConfig& config,
                                                        double wait_seconds = 120,
                                                        double call_seconds = 1800);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int rank() const { return config_.rank; }
  int size() const { return config_.size; }
  // Process 0, which writes files and prints.
  bool is_first() const { return config_.rank == 0; }

  // Sums dense CPU tensors of one shape and dtype over all processes, in place. The result is the
  // same to the bit in all of them, but Gloo decides the order of the addends.
  absl::Status Sum(at::Tensor tensor);
  absl::Status Sum(std::vector<double>* values);
  // Several sums may run at a time; all processes must begin them in the same order.
  PendingSum BeginSum(at::Tensor tensor);
  // The texts of all processes, by rank.
  absl::StatusOr<std::vector<std::string>> Gather(const std::string& text);
  // Waits until all processes have made this call.
  absl::Status Barrier();

  // Leaves a message for the other processes, who find it when their next call fails. Only the
  // first message counts. Does nothing for an OK status, or one that only says that another process
  // failed.
  void Fail(const absl::Status& status);

 private:
  struct Impl;
  friend class PendingSum;
  World(const WorldConfig& config, std::shared_ptr<Impl> impl)
      : config_(config), impl_(std::move(impl)) {}

  const WorldConfig config_;
  std::shared_ptr<Impl> impl_;
};

// The meeting place of processes that this one starts: address and port of a configuration with
// `is_hosted`. Open as long as it lives.
class MeetingPlace {
 public:
  static absl::StatusOr<std::unique_ptr<MeetingPlace>> Open();
  ~MeetingPlace();
  int port() const { return port_; }

 private:
  struct Impl;
  MeetingPlace(std::unique_ptr<Impl> impl, int port);
  std::unique_ptr<Impl> impl_;
  int port_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DISTRIBUTED_WORLD_H_
