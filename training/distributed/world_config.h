// unival: world_config.h - which process of how many this one is, as whatever started it says.
//
//   UNIVAL_ASSIGN_OR_RETURN(const WorldConfig config, ReadWorldConfig(&Variable));
//   if (config.size > 1) …
//
// Understood are the variables of torchrun and `unival launch` (RANK, WORLD_SIZE, LOCAL_RANK,
// LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT), of a step of Slurm (SLURM_PROCID, SLURM_NTASKS,
// SLURM_LOCALID, SLURM_STEP_NODELIST, SLURM_JOB_ID), and of Open MPI (OMPI_COMM_WORLD_RANK, _SIZE,
// _LOCAL_RANK, _LOCAL_SIZE), in this order.
#ifndef UNIVAL_TRAINING_DISTRIBUTED_WORLD_CONFIG_H_
#define UNIVAL_TRAINING_DISTRIBUTED_WORLD_CONFIG_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

// By default: one process alone.
struct WorldConfig {
  int rank = 0, size = 1;              // of all processes
  int local_rank = 0, local_size = 1;  // of those on this host
  std::string address;                 // host of process 0, where all meet
  int port = 0;                        // there
  // Whether the program that started the processes keeps the meeting place open, instead of process
  // 0.
  bool is_hosted = false;
  // Network interface to talk over; empty: the one that leads to `address`.
  std::string interface;
};

// Value of an environment variable; nothing where it is not set.
using VariableReader = std::function<absl::optional<std::string>(const std::string& name)>;

// Reads the configuration from environment variables. InvalidArgument names the variable, its value
// and what was expected; also where the address of process 0 cannot be found out.
absl::StatusOr<WorldConfig> ReadWorldConfig(const VariableReader& variable);

// The first host of a list as Slurm writes them: "node07" of "node[07-09,12],login1".
std::string FirstHost(const std::string& list);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DISTRIBUTED_WORLD_CONFIG_H_
